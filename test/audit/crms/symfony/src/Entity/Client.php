<?php
namespace App\Entity;

#[ORM\Entity]
#[ORM\Table(name: Client::TABLE)]
class Client
{
    public const TABLE = 'clients';
    use DansUneSociete;

    #[ORM\Id]
    #[ORM\Column(name: 'id', type: 'integer')]
    private int $id;

    #[ORM\Column(name: 'nom', type: 'string')]
    private string $nom;
}
