website_route_rules = [
    {"from_route": "/my-quotations", "to_route": "Quotation"},
]
