"""What both parts of the independent checker use: plain bodies, ARNs and times."""

from __future__ import annotations

import datetime
import re
from typing import Any

Body = dict[str, Any]

UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
ARN = re.compile(r"arn:([^:]*):([^:]*):([^:]*):([^:]*):(.*)", re.DOTALL)


def moment(value: Any) -> datetime.datetime:
    """A time of a body: ISO text, epoch seconds or a datetime."""
    if isinstance(value, datetime.datetime):
        return value
    if isinstance(value, (int, float)):
        return datetime.datetime.fromtimestamp(value, datetime.timezone.utc)
    text = re.sub(r"\.(\d+)", lambda m: f".{m[1][:6]:0<6}", str(value).replace("Z", "+00:00"))
    return datetime.datetime.fromisoformat(text)
