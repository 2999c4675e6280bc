from django.urls import include, path
urlpatterns = [
    path("api/", include("angebote.urls")),
    path("public/", include("angebote.public_urls")),
]
