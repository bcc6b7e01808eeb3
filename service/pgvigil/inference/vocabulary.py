"""Words that mean the same in most schemas: what ends a reference, who a person is, what is no reference."""

from __future__ import annotations

REFERENCE_ENDINGS = frozenset("id ids uuid guid uid fk fkey pk sk ref reference oid ptr pointer rid".split())
"""Behind the name of a thing, they say that this is a reference to it."""

NATURAL_ENDINGS = frozenset(
    "key code cd no nr num number nbr name slug tag symbol iso login sku handle".split()
)
"""Behind the name of a thing, they name a natural key of it: a reference, or an attribute."""

SPELLED = {"cd": "code"}
"""What an ending stands for that nobody writes out."""

REFERENCE_BEGINNINGS = frozenset("id fk fkey".split())

GLUED_ENDINGS = ("uuid", "guid", "code", "key", "id", "fk", "no", "nr")
"""Endings that are written without anything between: `hostid`, `custkey`. Longest first."""

GENERIC_KEYS = (
    REFERENCE_ENDINGS
    | NATURAL_ENDINGS
    | {"value", "title", "label", "hash", "token", "type", "email", "index"}
)
"""A key of such a name says nothing of whose key it is."""

PEOPLE = (
    "user",
    "usr",
    "person",
    "staff",
    "employee",
    "member",
    "account",
    "player",
    "principal",
    "customer",
    "profile",
    "contact",
    "partner",
)
"""What tables of people are called, the likeliest first."""

PERSON_ROLES = frozenset(
    """
    user usr owner author creator editor assignee assigner approver reviewer manager supervisor sender
    recipient receiver actor reporter submitter requester requestor moderator follower followee blocked
    blocker inviter invitee admin administrator operator agent salesperson employee member person
    responsible modifier updater deleter uploader publisher voter participant subscriber organizer coach
    teacher student lead
    """.split()
)
"""What a person is in a row, where no table is called so."""

SUPERIORS = frozenset("manager supervisor superior boss lead".split())
"""Who is above a person: another one of the same table, where that is one of people."""

DEEDS = frozenset(
    """
    create created write written update updated modify modified change changed delete deleted edit edited
    assign assigned approve approved review reviewed submit submitted request requested perform performed
    resolve resolved close closed open opened lock locked send sent upload uploaded invite invited publish
    published add added remove removed acknowledge acknowledged verify verified cancel cancelled revoke
    revoked reject rejected handle handled lastmod run started author authored archive archived suspend
    suspended ban banned report reported own owned register registered
    """.split()
)
"""What somebody did to a row: `created_by`, `write_uid`."""

SELF_ROLES = frozenset(
    """
    parent root ancestor previous prev next original origin predecessor successor superior duplicate
    replace replaced supersede superseded merged reply alias sibling child copy clone cloned forked fork
    """.split()
)
"""What a row of the same table is to this one."""

EXTERNAL = frozenset(
    """
    external ext extern remote foreign stripe paypal braintree google facebook twitter github gitlab slack
    linkedin apple microsoft azure aws gcp salesforce hubspot zendesk mailchimp sendgrid twilio intercom
    shopify oauth oidc saml ldap idp provider vendor thirdparty upstream legacy steam twitch xero
    quickbooks correlation idempotency request trace span transaction tracking device imported jira trello
    dropbox
    """.split()
)
"""Whose ids are given elsewhere: `stripe_customer_id` is no key of this database."""

OF_THE_SOURCE = frozenset("source src".split())
"""Before the name of a row's own table they say which row it was where it came from."""

NUMBERS = frozenset(
    """
    count cnt total amount qty quantity version revision position pos order ordering ordinal rank level
    priority year month day week hour minute second age size length width height depth weight score rating
    point port sequence seq index idx offset limit duration ms bytes percent price cost rate flag mask bit
    step sort lft rgt retry attempt retention ttl timeout interval balance value min max sum avg average
    precision scale factor stage severity progress ratio epoch timestamp date time
    """.split()
)
"""Integers of such names count or measure; they are no references, though every serial key includes them."""

CODES = frozenset(
    "status state type kind mode category class stage phase reason gender method format role".split()
)
"""Texts of such names are mostly one of a few words that no table lists."""

COPIES = frozenset(
    """
    history hist audit archive archived backup bak old tmp temp log shadow snapshot copy staging stage
    deleted trash historical journal changelog revision obsolete deprecated legacy import export
    """.split()
)
"""A table of such a name behind (or before) another's holds copies of its rows, and is nobody's parent."""

PARALLEL = COPIES | {"template", "draft"}
"""Tables that end on such a word refer to one another, as those without it do."""

TRANSIENT = COPIES | {"stg", "scratch", "landing", "sandbox", "work"}
"""A schema of such a name holds what does not last: no table elsewhere is meant to refer into it."""

WRAPPERS = frozenset("tbl tb t tab table dim fact fct lkp lookup lu mst master dbo vw xref".split())
"""Words around a table's name that say what a table is, and not of what."""

CUES = (
    "reference",
    "refers",
    "foreign key",
    "fk ",
    "->",
    "points to",
    "id of",
    "key of",
    "belongs to",
    "fk:",
)
"""A comment with such words names what the column refers to."""

VAGUE = frozenset(
    """
    type group category item object entity source target status state class kind record row node element
    value entry line detail set list tag level link key data content name code field option parameter
    setting resource version new old current primary
    """.split()
)
"""Many tables end on such a word: alone it hardly means one of them."""

ATTRIBUTES = frozenset(
    """
    name title label description text note comment body content subject message url uri path email mail
    phone address password hash salt token secret signature color colour icon image photo avatar filename
    extension domain host ip agent timezone locale format pattern expression query sql xml json data
    payload value slug
    """.split()
)
"""Texts of such names say something of their row; that a table is called alike is chance."""
