<?php
namespace App\Entity;

#[ORM\Entity]
#[ORM\Table(name: 'entreprises')]
class Entreprise
{
    #[ORM\Id]
    #[ORM\Column(name: 'id', type: 'integer')]
    private int $id;

    #[ORM\Column(name: 'nom', type: 'string')]
    private string $nom;
}
