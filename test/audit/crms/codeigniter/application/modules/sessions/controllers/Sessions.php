<?php
defined('BASEPATH') or exit;
class Sessions extends CI_Controller
{
    public function login() { if ($this->input->post('password')) { $this->session->set_userdata('user_type', $user->user_type); } }
}
