"""The words that invented products, people and reviews are made of."""

from dataclasses import dataclass
from random import Random

from faker import Faker

LOCALES = ("en_GB", "de_DE", "fr_FR", "pl_PL", "tr_TR", "el_GR", "ja_JP")
COUNTRIES = {
    "en_GB": "GB",
    "de_DE": "DE",
    "fr_FR": "FR",
    "pl_PL": "PL",
    "tr_TR": "TR",
    "el_GR": "GR",
    "ja_JP": "JP",
}


@dataclass(frozen=True)
class Shelf:
    """A top category: its name, its picture, and the categories under it with what they hold."""

    name: str
    art: str
    children: dict[str, tuple[str, ...]]


SHELVES = (
    Shelf(
        "Kitchen",
        "cup",
        {
            "Cups & mugs": ("Mug", "Espresso cup", "Becher", "Tasse à café", "湯のみ"),
            "Pans": ("Frying pan", "Wok", "Bräter", "Poêle", "Crêpière"),
            "Knives": ("Chef's knife", "Bread knife", "包丁", "Couteau d'office"),
            "Storage": ("Jar", "Lunch box", "Vorratsdose", "Boîte à thé"),
        },
    ),
    Shelf(
        "Lighting",
        "lamp",
        {
            "Table lamps": ("Table lamp", "Reading lamp", "Lampe de chevet", "行灯"),
            "Ceiling lamps": ("Pendant", "Ceiling lamp", "Hängeleuchte"),
            "Bulbs": ("LED bulb 2700 K", "LED bulb 4000 K", "Żarówka"),
        },
    ),
    Shelf(
        "Books",
        "book",
        {
            "Novels": ("Novel", "Roman", "小説", "Powieść"),
            "Cookbooks": ("Cookbook", "Kochbuch", "Yemek kitabı"),  # noqa: RUF001 - Turkish
            "Maps": ("Road map", "Hiking map", "Χάρτης"),
        },
    ),
    Shelf(
        "Furniture",
        "chair",
        {
            "Chairs": ("Chair", "Stool", "Sessel", "Tabouret"),
            "Tables": ("Table", "Side table", "Esstisch", "ちゃぶ台"),
            "Shelves": ("Bookshelf", "Wall shelf", "Étagère"),
        },
    ),
    Shelf(
        "Garden",
        "plant",
        {
            "Plants": ("Fern", "Olive tree", "Monstera", "盆栽"),
            "Pots": ("Plant pot", "Blumentopf", "Cache-pot"),
            "Seeds": ("Tomato seeds", "Basil seeds", "Σπόροι ρίγανης"),
        },
    ),
    Shelf(
        "Tools",
        "tool",
        {
            "Hand tools": ("Hammer", "Spanner", "Schraubendreher", "鋸"),
            "Power tools": ("Drill", "Sander", "Perceuse"),
            "Screws": ("Screws, box of 100", "Schrauben 4×40", "Śruby"),  # noqa: RUF001 - as it is printed on the box
        },
    ),
    Shelf(
        "Clothing",
        "shirt",
        {
            "Shirts": ("Shirt", "T-shirt", "Chemise", "Gömlek"),
            "Jackets": ("Jacket", "Raincoat", "Jacke"),
            "Socks": ("Socks", "Wollsocken", "足袋"),
        },
    ),
    Shelf(
        "Office",
        "box",
        {
            "Paper": ("Notebook", "Printer paper", "Cahier", "和紙"),
            "Pens": ("Fountain pen", "Pencil", "Kugelschreiber"),
            "Boxes": ("Archive box", "Drawer box", "Pudełko"),
        },
    ),
)

COLOURS = (
    "white",
    "black",
    "oak",
    "moss green",
    "sky blue",
    "brick red",
    "café au lait",
    "藍色",
    "grün",
    "écru",
)
MATERIALS = ("steel", "beech", "linen", "porcelain", "wool", "glass", "recycled PET", "Eiche", "和紙")
TAGS = ("New", "Handmade", "Fair trade", "Clearance", "Gift idea", "Très chic", "おすすめ", "Fragile", "VIP")
TITLES = (
    "Does what it should",
    "Would buy again",
    "Broke after a week",
    "Très satisfait",
    "Gut & günstig",
    "最高です",
    "Not what I expected",
    "Świetny produkt",
    "5 > 4 stars",
    'The "good" one',
)


@dataclass(frozen=True)
class Person:
    """Somebody invented, and where they live."""

    first_name: str
    last_name: str
    street: str
    postcode: str
    city: str
    country: str


@dataclass(frozen=True)
class Words:
    """Pools to draw from: drawing is much faster than inventing anew each time."""

    brands: tuple[str, ...]
    sentences: tuple[str, ...]
    people: tuple[Person, ...]


def words(seed: int) -> Words:
    """Invent the pools; the same ones for the same seed."""
    invent = {locale: Faker(locale) for locale in LOCALES}
    for faker in invent.values():
        faker.seed_instance(seed)
    order = Random(f"{seed}:words")  # noqa: S311 - invented data, no secret
    return Words(
        brands=tuple(invent[locale].last_name() for locale in LOCALES for _ in range(20)),
        sentences=tuple(invent[locale].sentence(nb_words=12) for locale in LOCALES for _ in range(40)),
        people=tuple(_person(invent[locale], locale) for locale in order.choices(LOCALES, k=400)),
    )


def _person(invent: Faker, locale: str) -> Person:
    return Person(
        first_name=invent.first_name(),
        last_name=invent.last_name(),
        street=invent.street_address().replace("\n", ", "),
        postcode=invent.postcode(),
        city=invent.city(),
        country=COUNTRIES[locale],
    )
