from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

RECOVERY_CODES = 8


class Command(BaseCommand):
    help = "Gives an account an authenticator app, and codes for the day that it is lost. Replaces what it had."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.TOTP:
            raise CommandError("Set TOTP=1 and run migrate first: until then no code is asked for.")
        from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
        from django_otp.plugins.otp_totp.models import TOTPDevice

        user = get_user_model().objects.filter(username=options["username"]).first()
        if user is None:
            raise CommandError(f"There is no account {options['username']}.")
        with transaction.atomic():
            for kind in (TOTPDevice, StaticDevice):
                kind.objects.filter(user=user).delete()
            device = TOTPDevice.objects.create(user=user, name="app")
            recovery = StaticDevice.objects.create(user=user, name="recovery")
            codes = [StaticToken.random_token() for _number in range(RECOVERY_CODES)]
            recovery.token_set.bulk_create(StaticToken(device=recovery, token=code) for code in codes)
        self.stdout.write("Give this address to the authenticator app, as a QR code or by its secret:")
        self.stdout.write(device.config_url)
        self.stdout.write("Each of these works once, in place of a code:")
        self.stdout.write(" ".join(codes))
