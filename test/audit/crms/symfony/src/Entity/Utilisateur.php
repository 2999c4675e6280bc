<?php
namespace App\Entity;

#[ORM\Entity]
#[ORM\Table(name: 'utilisateurs')]
class Utilisateur implements UserInterface
{
    use DansUneSociete;

    #[ORM\Id]
    #[ORM\Column(name: 'id', type: 'integer')]
    private int $id;

    #[ORM\Column(name: 'password', type: 'string')]
    private string $password;
}
