"""What a picture tells the page, and the URL: the last of two quick choices holds."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest


def script() -> None:
    import streamlit as st

    from app.ui.url import choose, keep, take

    take("view", ("unit", "saturation"), "unit")
    take("place", ("a", "b", "c"), "a")
    for place in ("b", "c"):

        def chosen(place: str = place) -> None:
            choose("view", "unit")
            choose("place", place)

        st.button(place, key=f"go-{place}", on_click=chosen)
    st.text(f"{st.session_state['view']} {st.session_state['place']}")
    keep("view", "unit")
    keep("place", "a")


def opened(**query: str) -> AppTest:
    app = AppTest.from_function(script, default_timeout=30)
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()


def test_the_second_of_two_quick_clicks_comes_with_the_url_of_before_the_first_and_still_holds():
    app = opened(view="saturation")
    assert app.text[0].value == "saturation a"
    app.button(key="go-b").click().run()
    assert app.text[0].value == "unit b"
    # The browser has not heard of the new URL when it sends the second click.
    del app.query_params["place"]
    app.query_params["view"] = "saturation"
    app.button(key="go-c").click().run()
    assert app.text[0].value == "unit c"
    assert "view" not in app.query_params
    assert app.query_params["place"] in ("c", ["c"])


def test_a_link_that_is_opened_later_wins_again():
    app = opened(view="saturation")
    app.button(key="go-b").click().run()
    app.query_params["place"] = "c"
    app.run()
    assert app.text[0].value == "unit c"
