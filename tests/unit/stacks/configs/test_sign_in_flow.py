"""What a clerk is asked at Keycloak: the flows walked as Keycloak 26.7 walks them, for whoever comes."""

from dataclasses import dataclass, field

import pytest

from inventory.models import SecondFactor
from stacks.configs import sign_in_flow
from stacks.configs.sign_in_flow import Group, browser, no_direct_grant


@dataclass
class Visitor:
    """Who comes. `level_age`: seconds since the second factor was given in this session, None without a session."""

    certificate: bool = True
    credentials: tuple[str, ...] = ("password",)
    level_age: int | None = None
    asked: list[str] = field(default_factory=list)
    known: bool = False  # by the certificate
    remembered: bool = False  # by the cookie, which tells the level of the session

    def gives(self, step):
        """Whether a step succeeds for this visitor, who answers whatever they are asked."""
        config = dict(step.config)
        match step.authenticator:
            case "auth-cookie":
                self.remembered = self.level_age is not None
                return False  # systems ask in an organization's scope: a cookie alone lets nobody through
            case "auth-x509-client-username-form":
                self.known = self.certificate
                return self.certificate
            case "deny-access-authenticator":
                return False
            case "auth-password-form" | "auth-otp-form" | "reset-password":
                assert self.known, f"{step.authenticator} of somebody whom no certificate names"
                self.asked.append(step.authenticator)
                return True
        raise AssertionError(f"{step.authenticator} {config} is not understood")

    def meets(self, step, others):
        """Whether a condition holds; `others`: the steps beside it."""
        config = dict(step.config)
        match step.authenticator:
            case "conditional-level-of-authentication":
                return not self.remembered or self.level_age > int(config["loa-max-age"])
            case "conditional-user-configured":
                kinds = {"auth-password-form": "password", "auth-otp-form": "otp"}
                return all(kinds[other.authenticator] in self.credentials for other in others)
            case "conditional-credential":
                return (config["credentials"] in self.credentials) is (config["included"] == "true")
        return None


def walk(steps, visitor):
    """Whether the steps let a visitor in: all that are required, else one of the alternatives."""
    required = [step for step in steps if step.requirement in ("REQUIRED", "CONDITIONAL")]
    if required:
        return all(_one(step, steps, visitor) for step in required)
    return any(_one(step, steps, visitor) for step in steps if step.requirement == "ALTERNATIVE")


def _one(step, beside, visitor):
    if not isinstance(step, Group):
        return visitor.gives(step)
    own = step.steps
    if step.requirement == "CONDITIONAL":
        conditions = [s for s in own if not isinstance(s, Group) and s.authenticator.startswith("conditional-")]
        rest = tuple(s for s in own if s not in conditions)
        assert own[: len(conditions)] == tuple(conditions), "conditions come first"
        if not all(visitor.meets(condition, rest) for condition in conditions):
            return True
        own = rest
    return walk(own, visitor)


WORKING_DAY = 12 * 3600


@pytest.mark.parametrize(
    ("factor", "visitor", "questions"),
    [
        (SecondFactor.PASSWORD, {}, ["auth-password-form"]),
        (SecondFactor.PASSWORD, {"credentials": ()}, ["reset-password"]),
        (SecondFactor.PASSWORD, {"level_age": WORKING_DAY}, []),
        (SecondFactor.PASSWORD, {"level_age": WORKING_DAY + 1}, ["auth-password-form"]),
        (SecondFactor.TOTP, {"credentials": ("otp",)}, ["auth-otp-form"]),
        (SecondFactor.TOTP, {"credentials": ()}, ["auth-otp-form"]),  # Keycloak has them set it up there
        (SecondFactor.TOTP, {"level_age": WORKING_DAY}, []),
        (SecondFactor.NONE, {}, []),
    ],
)
def test_the_second_factor_is_asked_once_a_session_of_a_working_day(factor, visitor, questions):
    clerk = Visitor(**visitor)
    assert walk(browser(factor).steps, clerk) and clerk.asked == questions


@pytest.mark.parametrize("factor", SecondFactor)
@pytest.mark.parametrize("level_age", [None, 60])
def test_without_a_certificate_nobody_is_let_in_or_asked_anything(factor, level_age):
    stranger = Visitor(certificate=False, level_age=level_age)
    assert not walk(browser(factor).steps, stranger) and stranger.asked == []


def test_a_password_grant_lets_nobody_in():
    (step,) = no_direct_grant().steps
    assert step.requirement == "REQUIRED" and not walk(no_direct_grant().steps, Visitor())


def test_a_certificate_is_one_of_a_client_in_its_time_and_of_this_root():
    (_, clerk) = browser(SecondFactor.PASSWORD).steps
    config = clerk.steps[0].config
    assert config["x509-cert-auth.extendedkeyusage"] == "1.3.6.1.5.5.7.3.2", "clientAuth"
    for check in ("timestamp-validation-enabled", "revalidate-certificate-enabled"):
        assert config[f"x509-cert-auth.{check}"] == "true"
    assert config["x509-cert-auth.mapping-source-selection"] == "Subject's Common Name"
    assert sign_in_flow.SESSION_SECONDS == WORKING_DAY
