from django.urls import path
from angebote import public_views
urlpatterns = [
    path("angebot/<str:token>/", public_views.PublicAngebotView.as_view()),
    path("angebot/<str:token>/annehmen/accept/", public_views.AngebotAcceptView.as_view()),
]
