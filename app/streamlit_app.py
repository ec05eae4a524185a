"""The app: settings and navigation, nothing else. Start it with ``streamlit run app/streamlit_app.py``."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:  # Streamlit puts this file's folder on the path, not the project's.
    sys.path.insert(0, str(ROOT))


def main() -> None:
    """Runs on every interaction of every visitor."""
    import streamlit as st

    from app.ui.pages import HOME, app_pages
    from app.ui.settings import read_settings
    from app.ui.url import arrive

    st.set_page_config(page_title="seqviz", page_icon=str(ROOT / "app" / "static" / "icon.svg"), layout="wide")
    arrive()
    t = read_settings().t
    pages = [
        st.Page(page.file, title=page.title, icon=page.icon, url_path=name, default=name == HOME)
        for name, page in app_pages(t).items()
    ]
    st.navigation(pages, position="top").run()


# Only the server runs it; whatever imports this file by its name gets nothing drawn.
if __name__ == "__main__":
    main()
