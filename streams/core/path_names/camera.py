"""File names made by cameras, phones and messengers, and the day in them."""

from __future__ import annotations

import re

from streams.core.path_names.text import day_of

_DAY = re.compile(
    r"(?<![0-9])((?:19|20)[0-9]{2})[-._ ]?([01][0-9])[-._ ]?([0-3][0-9])(?![0-9]{1,5}(?![0-9]))(?=[^0-9]|[0-9]{6}|$)"
)
_DEVICE = re.compile(
    r"(?i)(?:"
    r"(?:img|mvi|dsc[fn]?|_dsc|_mg|dscn|pict|pic|mov|movie|vid|video|sam|hpim|imgp|cimg|dji|"
    r"gopr|gp|gh|gx|gl|gs|mah|clip|yi|dscf|mov|rec|crw|sdc|"
    r"s|p|c|m2u|dsci|img_e|burst|pano|mvimg|pxl|photo|trim|insta360|lrv|pro_vid|pro_lrv|ezgif)"
    r"[_ -]?[a-z]?[0-9]{3,}[a-z]?(?:[-_ .()a-z0-9~]*)|"
    r"[0-9]{8}[_-][0-9]{6}(?:[_ .()a-z0-9-]*)|"
    r"(?:19|20)[0-9]{2}-[0-9]{2}-[0-9]{2}[ _T-]+[0-9]{2}[.:h_-][0-9]{2}(?:[.:m_-][0-9]{2}s?)?(?:[ _.()a-z0-9-]*)|"
    r"(?:img|vid|aud|ptt|stk)-[0-9]{8}-wa[0-9]+(?:[ ()0-9]*)|"
    r"(?:whatsapp|signal|telegram|viber|snapchat|screen[ _-]?(?:shot|recording|cast|record)|"
    r"screenrecorder|bildschirm(?:foto|aufnahme|video)|"
    r"capture d'écran|facetime|fullsizerender|received|fb_img|inshot|capcut|tiktok|timelapse|"
    r"slow[ _-]?mo)[ _-].*[0-9].*|"
    r"rpreplay[_-]?final[0-9]+|img_[0-9]{8}_[0-9]{6}.*|[0-9]{5}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
    r")"
)
_BARE_NUMBER = re.compile(r"[0-9]{5}")


def is_from_camera(stem: str, extension: str) -> bool:
    """True if the name was not given by a person. Five digits are a camcorder's file."""
    if _BARE_NUMBER.fullmatch(stem):
        return extension in ("mts", "m2t", "m2ts")
    return _DEVICE.fullmatch(stem) is not None


def day_in(text: str) -> str | None:
    """The first day in a name, YYYY-MM-DD."""
    days = (day_of(found[1], found[2], found[3]) for found in _DAY.finditer(text))
    return next((day for day in days if day is not None), None)
