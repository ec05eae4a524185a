"""The app: settings and navigation, nothing else. Start it with ``streamlit run app/streamlit_app.py``."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:  # Streamlit puts this file's folder on the path, not the project's.
    sys.path.insert(0, str(ROOT))


def main() -> None:
    """Runs on every interaction of every visitor."""
    import streamlit as st

    from app.ui.settings import read_settings
    from app.ui.url import arrive

    st.set_page_config(page_title="seqviz", page_icon=str(ROOT / "app" / "static" / "icon.svg"), layout="wide")
    arrive()
    t = read_settings().t
    page = st.navigation(
        [
            st.Page(
                "app_pages/unroll.py",
                title=t("Unroll"),
                icon=":material/account_tree:",
                url_path="unroll",
                default=True,
            ),
            st.Page("app_pages/gradients.py", title=t("Gradients"), icon=":material/moving:", url_path="gradients"),
            st.Page("app_pages/gates.py", title=t("Gates"), icon=":material/valve:", url_path="gates"),
            st.Page("app_pages/units.py", title=t("Units"), icon=":material/grain:", url_path="units"),
            st.Page("app_pages/translate.py", title=t("Translate"), icon=":material/translate:", url_path="translate"),
            st.Page("app_pages/decoding.py", title=t("Decoding"), icon=":material/graph_2:", url_path="decoding"),
            st.Page("app_pages/models.py", title=t("Models"), icon=":material/inventory_2:", url_path="models"),
        ],
        position="top",
    )
    page.run()


# Only the server runs it; whatever imports this file by its name gets nothing drawn.
if __name__ == "__main__":
    main()
