from django.urls import path
from angebote import views
urlpatterns = [
    path("angebote/", views.AngebotListView.as_view()),
    path("rechnungen/<int:pk>/", views.RechnungView.as_view()),
]
