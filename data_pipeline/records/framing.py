"""A record as it stands in a TFRecord file."""

import struct

import google_crc32c


def framed(record):
    """The record between its length and checksums: bytes."""
    length = struct.pack("<Q", len(record))
    return length + _checksum(length) + record + _checksum(record)


def _checksum(data):
    # The format rotates each checksum and adds a constant: a plain CRC of data that itself holds
    # CRCs would be a weak check.
    crc = google_crc32c.value(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)
