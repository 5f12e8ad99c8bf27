"""How every list of the API is cut into pages."""

from rest_framework.pagination import PageNumberPagination


class Pages(PageNumberPagination):
    """Twenty entries a page; `?page_size` asks for up to a hundred."""

    page_size = 20
    page_size_query_param = "page_size"
    max_page_size = 100
