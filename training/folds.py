"""Folds of cross-validation: a site is in one, so that no model is measured on pages of a site that it was trained on."""
import hashlib

FOLDS = 3


def fold_of(site):
    return int.from_bytes(hashlib.sha256(site.encode()).digest()[:4], "big") % FOLDS
