"""What names, types and keys say of relations, and the traps that they lay."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pgvigil.catalog import parse_relation
from pgvigil.inference import propose_relations
from tests.inference.schemas import by_relation, catalog, proposed

# What is proposed where nothing but names speaks, each way of naming once.
SPOKEN = {
    "the table's name and id": ("users(id*)\n posts(id*, user_id)", "posts(user_id) -> users(id)"),
    "a plural that is irregular": ("people(id*)\n posts(id*, person_id)", "posts(person_id) -> people(id)"),
    "camel case": (
        '"Users"("Id"*)\n "Posts"("Id"*, "UserId")',
        '"Posts"("UserId") -> "Users"("Id")',
    ),
    "written as one": ("hosts(hostid*)\n items(itemid*, hostid)", "items(hostid) -> hosts(hostid)"),
    "id in front": ("users(id*)\n posts(id*, id_user)", "posts(id_user) -> users(id)"),
    "a role before the table": (
        "users(id*)\n cases(id*, new_owner_user_id)",
        "cases(new_owner_user_id) -> users(id)",
    ),
    "a prefix that tables of an application share": (
        "auth_user(id*)\n auth_group(id*)\n auth_token(id*)\n posts(id*, user_id)",
        "posts(user_id) -> auth_user(id)",
    ),
    "words that say what a table is": (
        "dim_store(id*)\n sales(id*, store_id)",
        "sales(store_id) -> dim_store(id)",
    ),
    "an abbreviation": ("customers(id*)\n orders(id*, cust_id)", "orders(cust_id) -> customers(id)"),
    "another one": (
        "product_templates(id*)\n variants(id*, product_tmpl_id)",
        "variants(product_tmpl_id) -> product_templates(id)",
    ),
    "a plural of another language": (
        '"Gilden"("Nr."*)\n "Mitglieder"(id*, "Gilde Nr.")',
        '"Mitglieder"("Gilde Nr.") -> "Gilden"("Nr.")',
    ),
    "initials": (
        "purchase_orders(id*)\n po_lines(id*, po_id)",
        "po_lines(po_id) -> purchase_orders(id)",
    ),
    "a code and its table": (
        "countries(code* character)\n people(id*, country_code character)",
        "people(country_code) -> countries(code)",
    ),
    "who did something": ("users(id*)\n posts(id*, created_by)", "posts(created_by) -> users(id)"),
    "who is something": ("users(id*)\n cases(id*, assignee_id)", "cases(assignee_id) -> users(id)"),
    "a code of few letters": (
        "regions(code* character)\n stores(id*, rgn_cd character)",
        "stores(rgn_cd) -> regions(code)",
    ),
    "who is above somebody of the same table": (
        "users(id*)\n employees(id*, manager_id)",
        "employees(manager_id) -> employees(id)",
    ),
    "its own table": ("categories(id*, parent_id)", "categories(parent_id) -> categories(id)"),
    "another row": (
        "tickets(id*, duplicate_of_id)",
        "tickets(duplicate_of_id) -> tickets(id)",
    ),
    "a key that is a reference, too": (
        "pages(id*+)\n blog_pages(page_ptr_id*, body text)\n sites(id*+)",
        "blog_pages(page_ptr_id) -> pages(id)",
    ),
    "a key that the server does not fill": (
        "hosts(id*+)\n host_inventory(id*, os text)\n items(id*+)\n groups(id*+)",
        "host_inventory(id) -> hosts(id)",
    ),
    "a name that the child's completes": (
        "order_paymentevent(id*, event_type_id)\n order_paymenteventtype(id*)\n types(id*, payment text)",
        "order_paymentevent(event_type_id) -> order_paymenteventtype(id)",
    ),
    "templates among themselves": (
        "tax(id*)\n tax_line(id*, tax)\n acc_tax(id*)\n acc_tax_template(id*)\n acc_line_template(id*, tax)",
        "acc_line_template(tax) -> acc_tax_template(id)",
    ),
    "both sides of a link": (
        "users(id*)\n groups(id*)\n memberships(user_id*, group_id*)",
        "memberships(group_id) -> groups(id)",
    ),
    "a composite key": (
        "events(id*, occurred_at* date)\n notes(id*, event_id, event_at date)",
        "notes(event_id, event_at) -> events(id, occurred_at)",
    ),
    "a code that an enum spells": (
        "plans(code* plan_enum)\n subscriptions(id*, plan_code plan_enum)",
        "subscriptions(plan_code) -> plans(code)",
    ),
}


@pytest.mark.parametrize(("text", "relation"), SPOKEN.values(), ids=SPOKEN)
def test_is_proposed(text: str, relation: str) -> None:
    assert relation in proposed(text)


# Traps: nothing at all is proposed.
SILENT = {
    "a table's own key": "customers(customer_id*)\n orders(order_id*)",
    "ids of where a row came from": (
        'customers(customer_key*, source_customer_id)\n "Dim Shop"("Shop Key"*, "Source Shop ID")'
    ),
    "ids that others give": "customers(id* text)\n payments(id*, stripe_customer_id text, external_id text)",
    "types that do not compare": "users(id* uuid)\n posts(id*, user_id)",
    "a text and a number": "users(id*)\n posts(id*, user_id text)",
    "what counts": "orders(id*)\n carts(id*, order_count integer, max_orders integer)",
    "what orders or measures": (
        "positions(id*)\n levels(id*)\n versions(id*)\n"
        "rows(id*, position integer, level integer, version integer)"
    ),
    "statuses without a table": "jobs(id*, status integer, state text, kind text)",
    "times": "days(day* date)\n events(id*, day timestamp)",
    "a view": "users(id*) kind=view\n posts(id*, user_id)",
    "a table on another server": "users(id*) kind=foreign\n posts(id*, user_id)",
    "a table without a key": "users(id)\n posts(id*, user_id)",
    "a name for several parents": "users(id*)\n assets(id*, owner_type text, owner_id)",
    "attributes of a row": "names(name* text)\n titles(title* text)\n books(id*, name text, title text)",
    "what an ancestor has": "users(id* uuid)\n logs(id*, user_id)\n admin_logs(id*, user_id) inherits=1001",
}


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_is_no_relation(text: str) -> None:
    assert proposed(text) == set()


def test_a_copy_of_a_table_is_nobodys_parent() -> None:
    copies = "users(id*)\n users_history(id*)\n old_users(id*)\n user_backup(id*)\n posts(id*, user_id)"
    assert proposed(copies) == {"posts(user_id) -> users(id)"}


def test_a_partition_is_neither_parent_nor_child() -> None:
    parts = """
        users(id*)
        events(id*, user_id) kind=partitioned
        events_1(id*, user_id) partition_of=1001
    """
    assert proposed(parts) == {"events(user_id) -> users(id)"}


def test_the_nearer_of_two_tables_of_one_name_is_meant() -> None:
    tenants = "a.users(id*)\n a.posts(id*, user_id)\n b.users(id*)\n b.posts(id*, user_id)"
    assert proposed(tenants) == {"a.posts(user_id) -> a.users(id)", "b.posts(user_id) -> b.users(id)"}


def test_a_shared_prefix_tells_which_move_is_meant() -> None:
    moves = (
        "account_move(id*)\n stock_move(id*)\naccount_move_line(id*, move_id)\n stock_move_line(id*, move_id)"
    )
    assert proposed(moves) == {
        "account_move_line(move_id) -> account_move(id)",
        "stock_move_line(move_id) -> stock_move(id)",
    }


def test_names_without_a_letter_do_no_harm() -> None:
    assert proposed('"$$"("%"*)\n "!!"("%"*, "##"* text)\n "$"("%", "##" text)\n t(id*, "%_id")') is not None


def test_a_line_of_one_thing_refers_to_the_other_thing_and_not_to_its_lines() -> None:
    text = "orders(id*)\n order_lines(id*, order_id)\n invoice_lines(id*, order_id)"
    assert proposed(text) == {
        "order_lines(order_id) -> orders(id)",
        "invoice_lines(order_id) -> orders(id)",
    }


def test_what_is_declared_already_tells_what_a_column_means() -> None:
    text = "staff(id*)\n flags(id*, changed_by)\n limits(id*, changed_by)\n users(id*)"
    assert proposed(text, declared=["public.flags(changed_by) -> public.staff(id)"]) == {
        "limits(changed_by) -> staff(id)"
    }


def test_a_schema_without_endings_is_read_without_them() -> None:
    names = ("artist", "label", "release", "recording")
    tables = "\n".join(f"{name}(id*)" for name in names)
    links = "\n".join(f"{name}_note(id*, {name})" for name in names)
    assert proposed(f"{tables}\n{links}") == {f"{name}_note({name}) -> {name}(id)" for name in names}


def test_declared_and_known_relations_are_not_proposed_again_nor_is_another_parent() -> None:
    text = "users(id*)\n app_users(id*)\n posts(id*, user_id)"
    relation = "public.posts(user_id) -> public.app_users(id)"
    assert proposed(text, declared=[relation]) == set()
    assert propose_relations(catalog(text), known=[parse_relation(relation)]) == ()


def test_a_rejected_relation_leaves_room_for_the_next_best() -> None:
    text = "a.users(id*)\n b.users(id*)\n c.posts(id*, user_id)"
    rejected = [parse_relation("c.posts(user_id) -> a.users(id)")]
    found = by_relation(propose_relations(catalog(text), rejected=rejected))
    assert set(found) == {"c.posts(user_id) -> b.users(id)"}


def test_two_parents_that_are_as_good_halve_the_probability() -> None:
    alone = by_relation(propose_relations(catalog("a.users(id*)\n c.posts(id*, user_id)")))
    both = propose_relations(catalog("a.users(id*)\n b.users(id*)\n c.posts(id*, user_id)"))
    assert alone["c.posts(user_id) -> a.users(id)"].probability > 0.8
    assert all(one.probability < 0.5 for one in both)


def test_the_weightiest_evidence_comes_first_and_in_words() -> None:
    found = by_relation(propose_relations(catalog("users(id*)\n posts(id*, user_id)")))
    evidence = found["posts(user_id) -> users(id)"].evidence
    assert evidence[0] == 'the column\'s name is that of the table and "id"'
    assert 'the key is called "id" as well' in evidence


@pytest.mark.parametrize(
    ("others", "words"),
    [
        ("likes(id*, user_id)", "1 other relation refers to users, or seems to"),
        ("likes(id*, user_id)\n votes(id*, user_id)", "2 other relations refer to users, or seem to"),
    ],
)
def test_how_many_refer_to_a_table_is_told(others: str, words: str) -> None:
    found = by_relation(propose_relations(catalog(f"users(id*)\n posts(id*, user_id)\n {others}")))
    assert words in found["posts(user_id) -> users(id)"].evidence


def test_a_key_whose_index_is_broken_is_a_parent_all_the_same() -> None:
    made = catalog("services(name* text)\n checks(id*, service_name text)")
    services, checks = made.tables
    broken = replace(services, keys=(), indexes=(replace(services.indexes[0], valid=False),))
    found = by_relation(propose_relations(replace(made, tables=(broken, checks))))
    assert set(found) == {"checks(service_name) -> services(name)"}
