"""What each reason for or against a relation weighs: a logistic model, all of its numbers in one place.

A candidate's log-odds are `BIAS` and, for each of its reasons, the weight times the reason's amount (1 unless
it says otherwise, and at most 1). A weight of 1 makes the odds 2.7 times what they were without.
"""

from __future__ import annotations

BIAS = -4.3

WEIGHTS = {
    # Which name led to the parent: one of these.
    "name_full": 4.8,
    "name_bare": 4.5,
    "name_tail": 2.4,
    "name_head": 0.6,
    "name_completed": 5.3,
    "name_of_owner": 2.0,
    "name_in_front": 2.5,
    "name_abbreviated": 3.8,
    "name_initials": 3.6,
    "key_name": 2.2,
    "key_shared": 5.0,
    "role_person": 4.2,
    "role_self": 4.8,
    "precedent_only": 3.0,
    "comment": 5.0,
    "values_only": 1.3,
    "values_of_a_leaf": -1.5,
    "composite_names": 1.8,
    "composite_reference": 4.2,
    "polymorphic": 3.6,
    # What the name says besides.
    "tail_share": 1.2,
    "role": -0.4,
    "vague": -1.2,
    "ending_reference": 0.5,
    "ending_natural": 0.2,
    "ending_none": -1.0,
    "ending_none_of_text": -1.6,
    "ending_is_not_key": -1.5,
    "habit": 1.0,
    "ending_is_key": 1.2,
    "key_is_named": 0.2,
    "key_is_borrowed": -2.0,
    # What the tables say.
    "parent_primary": 0.5,
    "parent_secondary": -1.2,
    "same_type": 0.3,
    "other_type": -0.4,
    "indexed": 0.5,
    "in_key": 0.3,
    "own_key": -3.5,
    "filled": -3.0,
    "unique": -0.3,
    "near_detail": 1.3,
    "near_prefix": 0.7,
    "near_named": 1.0,
    "near_schema": 0.1,
    "far": -0.8,
    "own_table": -3.0,
    "copy": -3.0,
    "child_copy": -2.0,
    "transient": -3.0,
    "external": -3.0,
    "number": -2.5,
    "code": -1.0,
    "attribute": -2.5,
    "beside_type": -5.0,
    # What is declared already.
    "precedent": 2.5,
    "precedent_against": -2.0,
    "flow": 0.8,
    "referred": 0.8,
    # A composite key's own.
    "parts": 0.3,
    "details": 1.6,
    "family": 1.5,
    "links": -1.0,
    # What the server's statistics say.
    "range_inside": 1.2,
    "range_outside": -4.0,
    "too_many": -4.0,
    "parent_empty": -6.0,
    "covers": 1.4,
    "stops_short": -1.0,
    # Another parent that fits, too, takes its part of the probability: this only orders the words.
    "rival": -1.0,
    # What a sample says.
    "found": 4.5,
    "missing": -7.0,
}
