<?php
namespace App\Entity;

#[ORM\Entity]
#[ORM\Table(name: Facture::TABLE)]
class Facture
{
    public const TABLE = 'factures';
    use DansUneSociete;

    #[ORM\Id]
    #[ORM\Column(name: 'id', type: 'integer')]
    private int $id;

    #[ORM\Column(name: 'numero', type: 'string')]
    private string $numero;

    #[ORM\ManyToOne(targetEntity: Client::class)]
    #[ORM\JoinColumn(name: 'client_id')]
    private Client $client;

    #[ORM\Column(name: 'montant_total', type: 'decimal')]
    private string $montantTotal;

    #[ORM\Column(name: 'date_echeance', type: 'date')]
    private \DateTime $dateEcheance;
}
