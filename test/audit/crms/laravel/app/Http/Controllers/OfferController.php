<?php
namespace App\Http\Controllers;
class OfferController extends Controller {
    public function index() { return Offer::all(); }
    public function destroy($id) { Offer::destroy($id); }
}
