"""A corpus holds requests and nobody's secrets; a plan asks what is safe to ask twice, of routes alone."""

import json

import pytest

from proxy.table import parse_table
from strangler.compare.corpus import Asked, distinct, read_corpus, without_secrets, write_corpus
from strangler.compare.har import NotHar, parse_har
from strangler.compare.matrix import matrix
from strangler.compare.replay import Role, plan
from strangler.errors import BadCorpus
from tests.cases.compare.answers import answer, pair, request
from tests.cases.compare.compared import judge

TABLE = parse_table(
    """version = 1
[upstreams.monolith]
url = "http://127.0.0.1:1"
[upstreams.catalog]
url = "http://127.0.0.1:2"
[groups.catalog]
service = "catalog"
tables = ["t"]
owner = "monolith"
[[routes]]
name = "products"
group = "catalog"
path = "/api/products/"
methods = ["GET", "HEAD"]
stage = "shadow"
[[routes]]
name = "product"
group = "catalog"
path = "/api/products/{id}/"
methods = ["GET"]
stage = "shadow"
""",
    "t",
)
ANONYMOUS, STAFF = Role("anonymous", {}), Role("staff", {"Cookie": "sessionid=s"})


def test_nothing_that_says_who_asked_reaches_the_file(tmp_path):
    asked = request(
        "POST",
        "/api/x/?page=2&token=geheim",
        *("Cookie: sessionid=geheim", "Authorization: Token geheim", "X-CSRFToken: geheim"),
        *("X-Forwarded-For: 10.0.0.1", "Accept: application/json", "Content-Type: application/json"),
        body=b'{"name":"a","password":"geheim"}',
    )
    write_corpus(tmp_path / "corpus.jsonl", [without_secrets(asked)])
    text = (tmp_path / "corpus.jsonl").read_text()
    assert "geheim" not in text
    assert "10.0.0.1" not in text
    assert (tmp_path / "corpus.jsonl").stat().st_mode & 0o077 == 0
    (read,) = read_corpus(tmp_path / "corpus.jsonl")
    assert read.headers == {"accept": "application/json", "content-type": "application/json"}
    assert read.target.startswith("/api/x/?page=2&token=")


def test_a_form_in_a_corpus_has_no_password():
    form = ("Content-Type: application/x-www-form-urlencoded",)
    asked = without_secrets(request("POST", "/login/", *form, body=b"user=a&password=geheim"))
    assert "geheim" not in asked.body


def test_repeated_requests_are_asked_once():
    assert len(distinct([Asked("GET", "/a"), Asked("GET", "/a"), Asked("HEAD", "/a")])) == 2


@pytest.mark.parametrize("text", ["{", '{"method":"GET"}', '{"method":1,"target":"/"}', "[]"])
def test_a_line_that_is_no_request_is_refused_by_number(tmp_path, text):
    (tmp_path / "c").write_text('{"method":"GET","target":"/"}\n\n' + text)
    with pytest.raises(BadCorpus, match="line 3"):
        read_corpus(tmp_path / "c")


def test_a_missing_corpus_is_refused(tmp_path):
    with pytest.raises(BadCorpus, match="No such file"):
        read_corpus(tmp_path / "none")


def test_a_har_becomes_a_corpus_without_its_cookies():
    entry = {
        "request": {
            "method": "get",
            "url": "https://shop.example/api/products/?page=2",
            "headers": [
                {"name": "Cookie", "value": "sessionid=geheim"},
                {"name": "Accept", "value": "application/json"},
            ],
            "cookies": [],
        }
    }
    other = {"request": {"method": "GET", "url": "data:image/png;base64,AA", "headers": []}}
    har = json.dumps({"log": {"version": "1.2", "entries": [entry, other]}}).encode()
    assert list(parse_har(har)) == [Asked("GET", "/api/products/?page=2", {"accept": "application/json"})]


def test_what_is_no_har_is_refused():
    with pytest.raises(NotHar):
        list(parse_har(b'{"log":{}}'))


def test_writes_and_paths_of_no_route_are_counted_and_never_asked():
    corpus = [
        Asked("GET", "/api/products/?page=2"),
        Asked("POST", "/api/products/"),
        Asked("GET", "/cart/"),
        Asked("GET", "/api/../../x"),
        Asked("GET", "/api/products/3/"),
    ]
    found = plan(corpus, TABLE, [ANONYMOUS, STAFF])
    assert [(each.route, each.role.name) for each in found.questions] == [
        ("products", "anonymous"),
        ("products", "staff"),
        ("product", "anonymous"),
        ("product", "staff"),
    ]
    assert (found.writes, found.unrouted) == (1, 2)


def test_a_plan_of_one_route_asks_nothing_else():
    corpus = [Asked("GET", "/api/products/"), Asked("GET", "/api/products/3/")]
    assert [each.route for each in plan(corpus, TABLE, [ANONYMOUS], "product").questions] == ["product"]


def test_the_matrix_says_where_a_role_may_do_more_on_one_side():
    let_in, refused = answer("{}"), answer('{"detail":"no"}', status=403)
    judged = [
        judge(pair(refused, let_in)),
        judge(pair(let_in, let_in)),
    ]
    (cell,) = matrix(judged)
    assert (cell.control, cell.candidate) == ({"403": 1, "200": 1}, {"200": 2})
    assert cell.permitted_otherwise == 1
