"""The installed models with their measured quality, and their cards."""

import streamlit as st

from app.ui.backend import error_sentence, show_error
from app.ui.own_models import own_models_table
from app.ui.place import table_height
from app.ui.settings import header, read_settings
from app.ui.url import keep, take
from seqviz.checkpoints import list_all, read_card
from seqviz.errors import SeqvizError

settings = read_settings()
t = settings.t

header(
    t("Models"),
    t("Every model here was trained by seqviz train; its figure is measured on the held-out split of its data."),
    settings,
)
found, broken = list_all()
figure_names = {
    "nats_per_token": t("nats per token"),
    "accuracy": t("accuracy, %"),
    "f1": t("entity F1, %"),
    "bleu": t("BLEU"),
}
rows = []
for info in found:
    figure = str(info.details.get("figure", ""))
    rows.append(
        {
            t("Model"): info.title,
            t("Name"): info.name,
            t("Parameters"): info.num_parameters,
            t("Measured"): info.figures.get(figure),
            t("Figure"): figure_names.get(figure, figure),
            t("Training, min"): round(info.details.get("training_seconds", 0) / 60),
            t("Fine-tuned from"): info.base.name if info.base else "",
        }
    )
if rows:
    number = st.column_config.NumberColumn
    st.dataframe(
        rows,
        height=table_height(len(rows)),
        hide_index=True,
        column_config={
            t("Model"): st.column_config.Column(width=330),
            t("Parameters"): number(format="localized", width=90),
            t("Measured"): number(format="%.4g", width=80),
            t("Training, min"): number(width=100),
        },
    )
for error in broken.values():
    st.warning(error_sentence(error, t), icon=":material/broken_image:")
own_models_table(t)
if found:
    names = {info.name: info.title for info in found}
    take("card", list(names), found[0].name)
    name = st.selectbox(t("Model card"), list(names), format_func=names.__getitem__, key="card")
    keep("card", found[0].name)
    with st.container(border=True):
        try:
            st.markdown(read_card(name))
        except SeqvizError as error:
            show_error(error, t)
