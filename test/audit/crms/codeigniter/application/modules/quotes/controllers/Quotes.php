<?php
defined('BASEPATH') or exit;
class Quotes extends Admin_Controller
{
    public function index() { return $this->mdl_quotes->get(); }
}
