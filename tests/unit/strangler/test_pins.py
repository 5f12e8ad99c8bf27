"""Installed packages against the pins."""

from importlib.metadata import version

from strangler.pins import differing_pins


def test_another_version_and_a_missing_package_are_named_once():
    requirements = "# [kit]\nclick==0.0.1\nno-such-package==1.0\n# [proxy]\nclick==0.0.1\n"
    assert differing_pins(requirements) == (
        f"click {version('click')}, 0.0.1 is pinned",
        "no-such-package missing, 1.0 is pinned",
    )


def test_what_only_tests_need_may_be_missing_but_not_differ():
    requirements = "# [tests]\nno-such-package==1.0\nclick==0.0.1\n"
    assert len(differing_pins(requirements)) == 1


def test_pinned_versions_are_fine():
    assert differing_pins(f"# [kit]\nclick=={version('click')}  # why\n") == ()
