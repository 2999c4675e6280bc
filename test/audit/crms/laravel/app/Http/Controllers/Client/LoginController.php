<?php
namespace App\Http\Controllers\Client;
class LoginController extends Controller {
    public function login(Request $request) { return Auth::guard('client')->attempt($request->only('email', 'password')); }
}
