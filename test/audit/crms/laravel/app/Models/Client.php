<?php
namespace App\Models;
class Client extends Authenticatable { protected $hidden = ['password']; }
