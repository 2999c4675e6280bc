from django.db import models

class Kunde(models.Model):
    name = models.CharField(max_length=100)
    class Meta:
        db_table = "kunde"

class Angebot(models.Model):
    kunde = models.ForeignKey(Kunde, on_delete=models.CASCADE)
    nummer = models.CharField(max_length=20)
    status = models.CharField(max_length=20)
    gesamtbetrag = models.DecimalField(max_digits=10, decimal_places=2)
    datum_date = models.DateField()
    public_token = models.CharField(max_length=64, unique=True)
    accepted_at = models.DateTimeField(null=True)
    class Meta:
        db_table = "angebot"

class Rechnung(models.Model):
    kunde = models.ForeignKey(Kunde, on_delete=models.CASCADE)
    nummer = models.CharField(max_length=20)
    total_amount = models.FloatField()
    due_date = models.DateField()
    class Meta:
        db_table = "rechnung"
