<?php
use App\DevisBundle\Action\Liste;
return static function (RoutingConfigurator $routes): void {
    $routes->add('liste', '/')->controller(Liste::class);
    $routes->add('accepter', '/{id}/accepter')->controller(Liste::class)->methods(['POST']);
};
