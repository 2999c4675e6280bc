from rest_framework.permissions import AllowAny
from rest_framework.views import APIView

class PublicAngebotView(APIView):
    authentication_classes = []
    permission_classes = [AllowAny]
    def get(self, request, token):
        return Response(Angebot.objects.get(public_token=token))

class AngebotAcceptView(APIView):
    authentication_classes = []
    permission_classes = [AllowAny]
    def post(self, request, token):
        angebot = Angebot.objects.get(public_token=token)
        angebot.status = "accepted"
        angebot.save()
        return Response({})
