<?php
return static function (RoutingConfigurator $routes): void {
    $routes->import('@AppDevisBundle/routing.php')->prefix('/devis');
};
