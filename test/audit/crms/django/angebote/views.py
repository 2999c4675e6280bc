from rest_framework.views import APIView

class AngebotListView(APIView):
    def get(self, request):
        return Response(Angebot.objects.filter(owner=request.user))

class RechnungView(APIView):
    def get(self, request, pk):
        return Response(Rechnung.objects.get(pk=pk))
