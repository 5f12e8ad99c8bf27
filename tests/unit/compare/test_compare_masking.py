"""Secrets are compared and never shown."""

import pytest

from strangler.compare import lines, masking, rerun, show
from strangler.compare.documents import of_sheet
from strangler.compare.store import Judged, Kept
from strangler.compare.verdict import Verdict
from tests.cases.compare.answers import answer, judged, kinds, pair, request

SECRET = "geheim"


def _sheet(control, candidate, asked=None):
    kept = Kept(7, Judged(pair(control, candidate, asked), judged(control, candidate, asked)))
    return show.sheet(kept, {"monolith": "http://127.0.0.1:8001", "catalog": "http://127.0.0.1:8101/"})


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("Authorization", "Token geheim", "***"),
        ("Cookie", "sessionid=geheim; csrftoken=geheim", "sessionid=***; csrftoken=***"),
        ("Set-Cookie", "sessionid=geheim; Path=/; HttpOnly", "sessionid=***; Path=/; HttpOnly"),
        ("X-CSRFToken", "geheim", "***"),
        ("Location", "/reset/?token=geheim&page=2", "/reset/?token=***&page=2"),
        ("Accept", "text/html", "text/html"),
    ],
)
def test_a_secret_header_keeps_its_name_alone(name, value, shown):
    assert masking.header(name, value) == shown


@pytest.mark.parametrize(
    "body",
    [
        '{"password":"geheim"}',
        '{"user":{"new_password":{"plain":"geheim"}}}',
        '[{"api_key":"geheim"},{"token":"geheim"}]',
        '{"secret":1,"secret":"geheim"}',
    ],
)
def test_secret_keys_are_masked_in_bodies(body):
    shown = "\n".join(line.text for line in lines.of_body("application/json", body.encode()))
    assert SECRET not in shown
    assert "***" in shown


def _texts(laid_out: list[lines.Line]) -> list[str]:
    return [line.text.strip() for line in laid_out]


def test_form_fields_and_hidden_inputs_are_masked():
    form = lines.of_body("application/x-www-form-urlencoded", b"user=a&password=geheim")
    page = lines.of_body(
        "text/html", b'<input type="hidden" name="csrfmiddlewaretoken" value="geheim"><input name=q value=x>'
    )
    assert form[0].text == "user=a&password=***"
    assert [text.count("***") for text in _texts(page) if "<input" in text] == [1, 0]
    assert '<input name="q" value="x">' in _texts(page)


def test_secrets_in_broken_json_are_masked():
    broken = '{"user": "a", "password": "geheim", "pin_token": 12'
    (line,) = lines.of_body("application/json", broken.encode())
    assert line.text == '{"user": "a", "password": "***", "pin_token": "***"'
    sheet = _sheet(answer(broken), answer(broken.replace("geheim", "geheim2")))
    assert sheet.comparison.verdict is Verdict.DIFF
    assert SECRET not in str(of_sheet(sheet))


def test_a_page_that_mentions_a_token_is_shown_as_it_is():
    page = b'<a href="?token=1&amp;b=2">a=b</a>'
    assert page.decode().removesuffix("a=b</a>") in _texts(lines.of_body("text/html", page))


def test_a_secret_that_differs_is_a_diff_and_stays_hidden():
    control, candidate = answer('{"password":"geheim1"}'), answer('{"password":"geheim2"}')
    assert kinds(judged(control, candidate)) == ["value $.password"]
    sheet = _sheet(control, candidate)
    assert [row.mark for row in sheet.rows if "password" in row.control] == ["≠"]
    assert SECRET not in str(of_sheet(sheet))


def test_nothing_secret_is_on_a_sheet():
    asked = request(
        "GET",
        "/api/?token=geheim",
        "Cookie: sessionid=geheim",
        "Authorization: Token geheim",
        "X-CSRFToken: geheim",
    )
    control = answer('{"access_token":"geheim","a":1}', "Set-Cookie: sessionid=geheim; Path=/")
    candidate = answer('{"b":{"session_key":"geheim"}}')
    assert SECRET not in str(of_sheet(_sheet(control, candidate, asked)))


def test_a_cut_text_that_names_a_secret_is_hidden_whole():
    sheet = _sheet(answer('{"a":{"password":"geheim","words":"' + "x" * 2000 + '"}}'), answer("{}"))
    assert sheet.comparison.differences[0].control == "***"


def test_a_write_is_never_offered_again():
    asked = request("POST", "/api/orders/", body=b"{}")
    assert rerun.commands(pair(answer(), answer(), asked), {}) == ()


def test_a_read_is_offered_to_both_upstreams():
    asked = request("GET", "/api/?q=it's", "Cookie: sessionid=geheim", "Accept-Encoding: br", "Accept: a/b")
    one, other = _sheet(answer(), answer(), asked).rerun
    assert one.endswith("""'http://127.0.0.1:8001/api/?q=it'"'"'s'""")
    assert "http://127.0.0.1:8101/api/" in other
    assert '--header "Cookie: $COOKIE"' in one
    assert "--compressed" in one
    assert SECRET not in one


def test_an_unknown_upstream_becomes_a_variable():
    assert '"${MONOLITH_URL}"' in rerun.commands(pair(answer(), answer()), {})[0]


def test_head_is_asked_again_as_head():
    assert "--head" in rerun.commands(pair(answer(), answer(), request("HEAD")), {})[0]


def test_differing_lines_are_marked_where_they_are():
    control = answer('{"a":{"b":1},"c":[1,2],"d":1}', "Set-Cookie: s=1; HttpOnly")
    candidate = answer('{"c":[1,3],"d":1.0}', "Set-Cookie: s=2")
    sheet = _sheet(control, candidate)
    marked = {(row.mark, row.control.strip(), row.candidate.strip()) for row in sheet.rows if row.mark}
    assert sheet.comparison.verdict is Verdict.DIFF
    assert ("≠", "2", "3") in marked
    assert ("~", '"d": 1', '"d": 1.0') in marked
    assert ("≠", '"b": 1', "") in marked
    assert ("≠", "Set-Cookie: s=***; HttpOnly", "Set-Cookie: s=***") in marked
