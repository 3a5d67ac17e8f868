"""crmsync keeps any Django model in two-way sync with HubSpot; set it up in the Django admin."""

__version__ = "0.1.0.dev0"
