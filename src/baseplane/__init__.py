"""Baseplane: an open control plane that speaks the Supabase Management API."""
