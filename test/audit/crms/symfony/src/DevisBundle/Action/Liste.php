<?php
namespace App\DevisBundle\Action;
class Liste
{
    public function __invoke() { return $this->repository->findAll(); }
}
