"""Attention: where the decoder looks while it writes each word of a translation."""

from app.ui.attention_compare import compare_view
from app.ui.attention_edit import edit_view
from app.ui.attention_explain import explain_view
from app.ui.attention_good import good_view
from app.ui.attention_heatmap import heatmap_view
from app.ui.attention_inputs import forget_attention
from app.ui.attention_twins import scores_view
from app.ui.settings import header, read_settings
from app.ui.translation_inputs import translation_input
from app.ui.views import view_choice

VIEWS = {
    "heatmap": heatmap_view,
    "edit": edit_view,
    "explain": explain_view,
    "good": good_view,
    "scores": scores_view,
    "compare": compare_view,
}

settings = read_settings()
t = settings.t

header(
    t("Attention"),
    t(
        "For every word it writes, the decoder weighs all words of the source. See the weights, take one apart, change "
        "them by hand, and ask whether they explain anything."
    ),
    settings,
)
view = view_choice(
    {
        "heatmap": t("Heatmap"),
        "edit": t("Edit"),
        "explain": t("Explanation"),
        "good": t("Good and bad attention"),
        "scores": t("Score functions"),
        "compare": t("Against no attention"),
    },
    t,
)
VIEWS[view](translation_input(t, forgets=forget_attention), settings)
