<?php
use App\Http\Controllers\Client\OfferController as ClientOffers;
use App\Http\Controllers\OfferController;
use App\Http\Controllers\Client\LoginController;

Route::post('client/login', [LoginController::class, 'login']);
Route::middleware('auth:client')->prefix('client')->group(function () {
    Route::get('offers', [ClientOffers::class, 'index']);
    Route::post('offers/{offer}/accept', [ClientOffers::class, 'accept']);
});
Route::group(['middleware' => ['auth']], function () {
    Route::resource('offers', OfferController::class);
    Route::resource('clients', OfferController::class);
});
