"""The words that the sample's rows are made of."""

from __future__ import annotations

COUNTRIES = tuple(
    "AR AT AU BE BR CA CH CL CN CO CZ DE DK EG ES FI FR GB GR HU IE IL IN IS IT JP KR LT LV MX MY NL NO NZ "
    "PE PH PL PT RO RS SE SG SI SK TH TR TW UA US UY VN ZA".split()
)
CONTINENTS = ("Africa", "Asia", "Europe", "North America", "Oceania", "South America")
LANGUAGES = tuple(
    "cs da de el en en-GB es es-MX fi fr hu it ja ko nb nl pl pt pt-BR ro ru sv th tr uk zh".split()
)
CURRENCIES = tuple(
    "ARS AUD BRL CAD CHF CLP CNY CZK DKK EUR GBP HUF INR JPY KRW MXN NOK NZD PLN SEK TRY USD".split()
)
GENRES = (
    "Action", "Adventure", "Card", "Fighting", "Flight", "Horror", "Idle", "Metroidvania", "Music",
    "Party", "Platformer", "Puzzle", "Racing", "Roguelike", "Role-playing", "Sandbox", "Shooter",
    "Simulation", "Sports", "Stealth", "Strategy", "Survival", "Tower defence", "Visual novel",
)  # fmt: skip
PLATFORMS = ("PC", "Mac", "Linux", "PS4", "PS5", "XB1", "XSX", "Switch", "Switch2", "iOS", "Android", "Deck")
REGIONS = ("EU", "NA", "LATAM", "JP", "KR", "APAC", "MEA")
STORES = ("steam", "epic", "gog", "itch", "console")

ADJECTIVES = (
    "Ashen", "Astral", "Broken", "Crimson", "Distant", "Eternal", "Fallen", "Forgotten", "Frozen",
    "Gilded", "Hollow", "Iron", "Last", "Luminous", "Midnight", "Neon", "Quiet", "Radiant", "Savage",
    "Silent", "Sunken", "Tiny", "Untold", "Wandering",
)  # fmt: skip
NOUNS = (
    "Abyss", "Caravan", "Citadel", "Covenant", "Derby", "Drift", "Empire", "Expanse", "Forge",
    "Frontier", "Garden", "Harbour", "Horizon", "Kingdom", "Labyrinth", "Legion", "Odyssey", "Outpost",
    "Protocol", "Realm", "Reverie", "Saga", "Skies", "Tactics", "Tides", "Vanguard", "Voyage", "Wilds",
)  # fmt: skip
ENDINGS = (
    "",
    "",
    "",
    "",
    " II",
    " III",
    " Online",
    " Remastered",
    ": Origins",
    " - Königreich",
    " エディション",
)
SUBTITLES = (
    "A story of salt", "The long way home", "Director's cut", "Season one", "Für immer", "No way back",
)  # fmt: skip
FIRST_NAMES = (
    "ada", "bo", "chen", "dmitri", "elif", "femi", "giulia", "håkon", "ines", "jörg", "kaito", "lea",
    "mehmet", "nia", "óscar", "priya", "quinn", "rosa", "søren", "tomás", "uma", "vera", "wei", "yara",
    "zoë",
)  # fmt: skip
REVIEW_WORDS = (
    "great", "music", "but", "the", "camera", "is", "slow", "loved", "every", "minute", "crashes", "on",
    "start", "worth", "it", "pretty", "boss", "fights", "too", "hard", "short", "café", "10/10",
    "refund", "patch",
)  # fmt: skip
EVENT_NAMES = ("login", "level_up", "purchase", "death", "quest_done", "logout", "share", "crash")
SERVICES = (
    "api", "auth", "billing", "catalog", "chat", "frontend", "matchmaking", "notifications", "payments",
    "search", "storefront", "telemetry",
)  # fmt: skip
OBJECTIVES = ("availability", "latency")
METRICS = ("requests", "errors", "latency_p99", "queue_depth", "saturation")
TEAMS = ("platform", "growth", "live-ops", "payments", "data")
PLANS = ("free", "basic", "plus", "studio", "enterprise")
MODELS = ("churn", "lifetime-value", "matchmaking", "toxicity")
