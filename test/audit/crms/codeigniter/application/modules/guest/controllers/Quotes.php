<?php
defined('BASEPATH') or exit;
class Quotes extends Guest_Controller
{
    public function view($quote_id) { return $this->mdl_quotes->where_in('client_id', $this->user_clients)->get($quote_id); }
    public function approve($quote_id) { $this->mdl_quotes->update($quote_id, ['status' => 4]); redirect('guest/quotes'); }
}
