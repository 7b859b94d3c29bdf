"""The admin's login with a code from an app (TOTP, RFC 6238) after the password. Loaded only where TOTP=1."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.admin.forms import AdminAuthenticationForm
from django.utils.translation import gettext_lazy as _
from django_otp.admin import OTPAdminSite
from django_otp.forms import OTPAuthenticationFormMixin
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

WRONG = _("This is not the code that is valid now. Wait for the next one and type that.")

SLOW = _("Too many wrong codes. Wait a minute, then type the one that is valid then.")
DIGITS = 6  # of an app's code; recovery codes are longer


class CodeForm(OTPAuthenticationFormMixin, AdminAuthenticationForm):
    """One more field. The code may come from any device of the account, or be one of its recovery codes."""

    otp_token = forms.CharField(
        label=_("One-time code"),
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "spellcheck": "false"}),
    )
    otp_error_messages = {
        **OTPAuthenticationFormMixin.otp_error_messages,
        "invalid_token": WRONG,
        "token_required": _("Type the code that your app shows."),
        "n_failed_attempts": SLOW,
        "verification_not_allowed": SLOW,
        "device_required": _("This account has no app for codes yet. Whoever runs the site adds one."),
    }

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if self.get_user() is not None:
            self.clean_otp(self.get_user())
        return cleaned

    def _chosen_device(self, user: Any) -> Any:
        """By the look of the code, so that a wrong one counts against the device it was meant for alone."""
        code = self.cleaned_data.get("otp_token", "")
        kind = TOTPDevice if code.isdigit() and len(code) == DIGITS else StaticDevice
        return kind.objects.filter(user=user, confirmed=True).first()

    def _update_form(self, user: Any) -> None:
        """The password is not written into the page again."""


class CodeSite(OTPAdminSite):
    login_form = CodeForm
    login_template = "admin/login_with_code.html"

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)

    def register(self, model_or_iterable: Any, *of: Any, **options: Any) -> None:
        """Devices hold secrets, and `manage.py totp` makes them: no page shows them."""
        if model_or_iterable not in (StaticDevice, TOTPDevice):
            super().register(model_or_iterable, *of, **options)
