"""The pages of the app, in the order of the menu: the one list for navigation, cards and lessons."""

from __future__ import annotations

from dataclasses import dataclass

from seqviz.i18n import Translator

HOME = "home"


@dataclass(frozen=True, slots=True, kw_only=True)
class AppPage:
    """A page.

    Args:
        file: its script, beside ``streamlit_app.py``.
        title: in the reader's language.
        icon: of the menu.
    """

    file: str
    title: str
    icon: str


def app_pages(t: Translator) -> dict[str, AppPage]:
    """All pages by name, which is also their path in the URL; the home page is at the root."""
    return {
        HOME: AppPage(file="app_pages/home.py", title=t("Home"), icon=":material/home:"),
        "unroll": AppPage(file="app_pages/unroll.py", title=t("Unroll"), icon=":material/account_tree:"),
        "gradients": AppPage(file="app_pages/gradients.py", title=t("Gradients"), icon=":material/moving:"),
        "gates": AppPage(file="app_pages/gates.py", title=t("Gates"), icon=":material/valve:"),
        "units": AppPage(file="app_pages/units.py", title=t("Units"), icon=":material/grain:"),
        "translate": AppPage(file="app_pages/translate.py", title=t("Translate"), icon=":material/translate:"),
        "attention": AppPage(file="app_pages/attention.py", title=t("Attention"), icon=":material/grid_on:"),
        "decoding": AppPage(file="app_pages/decoding.py", title=t("Decoding"), icon=":material/graph_2:"),
        "lessons": AppPage(file="app_pages/lessons.py", title=t("Lessons"), icon=":material/school:"),
        "models": AppPage(file="app_pages/models.py", title=t("Models"), icon=":material/inventory_2:"),
    }
