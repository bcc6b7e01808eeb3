"""A database whose names hold every character that some format gives a meaning to."""

from __future__ import annotations

ODD = r'''
    CREATE SCHEMA "odd ""schema""";
    CREATE SCHEMA "pi|pe";
    CREATE TABLE "odd ""schema"""."Ta-ble `one`" ("i d" bigint PRIMARY KEY, "a|b" text, "<b>&amp;</b>" text);
    CREATE TABLE "pi|pe"."back\slash%" (
        "semi;colon" int PRIMARY KEY,
        "to {one}" bigint REFERENCES "odd ""schema"""."Ta-ble `one`"
    );
    CREATE TABLE "pi|pe"."new
line" ("*star*" int PRIMARY KEY, "[up]" int REFERENCES "pi|pe"."back\slash%", "#hash" text, "self" int
        REFERENCES "pi|pe"."new
line");
    CREATE TABLE "pi|pe"."таблица_表" ("ключ" int PRIMARY KEY, "end" int REFERENCES "pi|pe"."new
line");
    CREATE TABLE "pi|pe"."select" ("from" int, "where" int REFERENCES "pi|pe"."таблица_表");
    COMMENT ON TABLE "pi|pe"."select" IS 'A | comment, with "quotes", `code`, <tags> and
a second line';
    ALTER TABLE "pi|pe"."select" DISABLE TRIGGER ALL;
'''
