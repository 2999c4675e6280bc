<?php
return [
    'guards' => [
        'web' => ['driver' => 'session', 'provider' => 'users'],
        'client' => ['driver' => 'session', 'provider' => 'clients'],
    ],
    'providers' => [
        'users' => ['driver' => 'eloquent', 'model' => App\Models\User::class],
        'clients' => ['driver' => 'eloquent', 'model' => App\Models\Client::class],
    ],
];
