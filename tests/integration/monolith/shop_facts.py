"""What the shop's tests agree on."""

PASSWORD = "correct horse battery"
GOOD_CARD = "4242424242424242"
DECLINED_CARD = "4000000000000002"
BROKEN_CARD = "4000000000000119"
SHIP_TO = {"name": "Zoë", "street": "Main St 1", "postcode": "10115", "city": "Berlin", "country": "DE"}
