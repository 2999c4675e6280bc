<?php
namespace App\Entity;
trait DansUneSociete
{
    #[ORM\ManyToOne(targetEntity: Entreprise::class)]
    #[ORM\JoinColumn(name: 'entreprise_id')]
    private Entreprise $entreprise;
}
