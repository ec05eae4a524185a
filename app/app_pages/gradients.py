"""Gradients: the loss of a sentence goes back through time, step by step."""

import streamlit as st

from app.ui.backflow_view import backflow_view, drawn_backflow, picture_inputs, reach_captions
from app.ui.clipping_view import clipping_view
from app.ui.downloads import download_menu
from app.ui.gradient_runs import gradient_runs
from app.ui.gradient_views import dependency_view, loss_caption, weights_view
from app.ui.installed import installed_models
from app.ui.laboratory_view import laboratory_view
from app.ui.settings import header, read_settings
from app.ui.views import view_choice

settings = read_settings()
t = settings.t

header(
    t("Gradients"),
    t(
        "Back-propagation through time: choose a loss and watch how much of it reaches every earlier step. Click a "
        "step or a unit to see where its gradient comes from."
    ),
    settings,
)
view = view_choice(
    {
        "time": t("Through time"),
        "weights": t("Shared weights"),
        "dependency": t("A long dependency"),
        "laboratory": t("Laboratory"),
        "clipping": t("Clipping"),
    },
    t,
)
if view == "clipping":  # needs no model
    clipping_view(settings)
    st.stop()

models = installed_models(t)
if view == "dependency":
    dependency_view(models, settings)
    st.stop()

if view == "laboratory":
    laboratory_view(models, settings)
    st.stop()

shown = gradient_runs(models, settings, weights=view == "weights")
if shown is None:
    st.stop()
runs, others, passes = shown.runs, shown.others, shown.passes

figure, charts = None, []
if view == "weights":
    st.caption(loss_caption(passes[0], t))
    charts = weights_view(passes[0], settings)
else:
    with shown.place.popover(t("Picture"), icon=":material/grid_on:", width="stretch"):
        options, curve = picture_inputs(runs[0].forward, passes, settings)
    figure = drawn_backflow(
        shown.requests, runs, others, curve=curve, scale=shown.scale, options=options, language=settings.language
    )
    says = [loss_caption(passes[0], t), *reach_captions(runs, others, options, settings)]
    backflow_view(figure, shown.requests, runs, options, says, settings)

left, right = st.columns([3, 1], vertical_alignment="center")
left.caption(
    t(
        "Try next: let the sum of all losses go back, multiply the last error by −1, compare a plain RNN with an LSTM, "
        "or read how the shared matrices add up what every step contributes."
    )
)
with right:
    download_menu(figure, passes, name=f"gradients {runs[0].forward.text}", t=t, charts=charts)
