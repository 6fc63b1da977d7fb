"""The kinds of ports."""

from ..pattern import Role

PUBLISHER = Role("publisher", meets="subscriber", side="sender")
SUBSCRIBER = Role("subscriber", meets="publisher", side="receiver")
ROLES = (PUBLISHER, SUBSCRIBER)
