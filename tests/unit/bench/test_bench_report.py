"""What the proxy benchmark concludes from its samples."""

from bench.proxy.report import document, ratio, summarise, verdicts
from bench.proxy.run import ORIGIN, Sample


def sample(peer: str, cpu_us: float, number: int = 1) -> Sample:
    return Sample(
        peer=peer, round=number, cpu_us=cpu_us, core_busy=0.9, per_second=9000.0, p50_ms=1.0, p99_ms=2.0
    )


def test_no_ratio_is_made_up_for_a_peer_that_was_not_measured() -> None:
    medians = summarise([sample("ours", 30.0), sample("nginx", 20.0)])
    assert ratio(medians, "ours", "envoy") is None
    assert [line.partition(":")[0] for line in verdicts(medians)] == ["ours / nginx"]


def test_origin_alone_is_never_compared_with_a_proxy() -> None:
    assert ratio(summarise([sample(ORIGIN, 9.0), sample("nginx", 20.0)]), ORIGIN, "nginx") is None


def test_one_disturbed_round_does_not_move_the_median() -> None:
    medians = summarise([sample("nginx", 20.0, 1), sample("nginx", 90.0, 2), sample("nginx", 21.0, 3)])
    assert medians["nginx"].cpu_us == 21.0
    assert medians["nginx"].round == 3


def test_a_missed_target_is_called_missed() -> None:
    medians = summarise([sample("ours", 45.0), sample("nginx", 20.0), sample("envoy", 90.0)])
    assert verdicts(medians) == [
        "ours / nginx: 2.25, wanted at most 2: MISSED",
        "ours / envoy: 0.50, wanted at most 0.5: met",
    ]


def test_document_keeps_every_raw_sample() -> None:
    samples = [sample("ours", 30.0, 1), sample("ours", 31.0, 2)]
    assert [entry["cpu_us"] for entry in document({}, samples)["samples"]] == [30.0, 31.0]
