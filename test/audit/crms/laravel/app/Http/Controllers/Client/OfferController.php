<?php
namespace App\Http\Controllers\Client;
class OfferController extends Controller {
    public function index() { return Offer::where('client_id', auth('client')->user()->client_id)->get(); }
    public function accept(Offer $offer) { $offer->update(['status' => 'accepted']); return back(); }
}
