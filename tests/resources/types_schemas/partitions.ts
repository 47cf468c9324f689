export type Json =
  | string
  | number
  | boolean
  | null
  | { [key: string]: Json | undefined }
  | Json[]

export type Database = {
  // Allows to automatically instantiate createClient with right options
  // instead of createClient<Database, { PostgrestVersion: 'XX' }>(URL, KEY)
  __InternalSupabase: {
    PostgrestVersion: "12.0.2"
  }
  public: {
    Tables: {
      base: {
        Row: {
          id: number
          owner: number | null
        }
        Insert: {
          id: number
          owner?: number | null
        }
        Update: {
          id?: number
          owner?: number | null
        }
        Relationships: [
          {
            foreignKeyName: "base_owner_fkey"
            columns: ["owner"]
            isOneToOne: false
            referencedRelation: "people"
            referencedColumns: ["id"]
          },
        ]
      }
      Between: {
        Row: {
          id: number | null
        }
        Insert: {
          id?: number | null
        }
        Update: {
          id?: number | null
        }
        Relationships: []
      }
      derived: {
        Row: {
          extra: string | null
          id: number
          owner: number | null
        }
        Insert: {
          extra?: string | null
          id: number
          owner?: number | null
        }
        Update: {
          extra?: string | null
          id?: number
          owner?: number | null
        }
        Relationships: []
      }
      derived_twice: {
        Row: {
          extra: string | null
          id: number
          more: string | null
          owner: number | null
        }
        Insert: {
          extra?: string | null
          id: number
          more?: string | null
          owner?: number | null
        }
        Update: {
          extra?: string | null
          id?: number
          more?: string | null
          owner?: number | null
        }
        Relationships: []
      }
      events: {
        Row: {
          day: string
          id: number
          kind: string | null
          parent_day: string | null
          parent_id: number | null
        }
        Insert: {
          day: string
          id: number
          kind?: string | null
          parent_day?: string | null
          parent_id?: number | null
        }
        Update: {
          day?: string
          id?: number
          kind?: string | null
          parent_day?: string | null
          parent_id?: number | null
        }
        Relationships: [
          {
            foreignKeyName: "events_parent_id_parent_day_fkey"
            columns: ["parent_id", "parent_day"]
            isOneToOne: false
            referencedRelation: "event_view"
            referencedColumns: ["id", "day"]
          },
          {
            foreignKeyName: "events_parent_id_parent_day_fkey"
            columns: ["parent_id", "parent_day"]
            isOneToOne: false
            referencedRelation: "events"
            referencedColumns: ["id", "day"]
          },
        ]
      }
      events_2025: {
        Row: {
          day: string
          id: number
          kind: string | null
          parent_day: string | null
          parent_id: number | null
        }
        Insert: {
          day: string
          id: number
          kind?: string | null
          parent_day?: string | null
          parent_id?: number | null
        }
        Update: {
          day?: string
          id?: number
          kind?: string | null
          parent_day?: string | null
          parent_id?: number | null
        }
        Relationships: []
      }
      events_rest: {
        Row: {
          day: string
          id: number
          kind: string | null
          parent_day: string | null
          parent_id: number | null
        }
        Insert: {
          day: string
          id: number
          kind?: string | null
          parent_day?: string | null
          parent_id?: number | null
        }
        Update: {
          day?: string
          id?: number
          kind?: string | null
          parent_day?: string | null
          parent_id?: number | null
        }
        Relationships: []
      }
      events_rest_0: {
        Row: {
          day: string
          id: number
          kind: string | null
          parent_day: string | null
          parent_id: number | null
        }
        Insert: {
          day: string
          id: number
          kind?: string | null
          parent_day?: string | null
          parent_id?: number | null
        }
        Update: {
          day?: string
          id?: number
          kind?: string | null
          parent_day?: string | null
          parent_id?: number | null
        }
        Relationships: []
      }
      fast: {
        Row: {
          id: number
        }
        Insert: {
          id: number
        }
        Update: {
          id?: number
        }
        Relationships: []
      }
      first_source: {
        Row: {
          x: number | null
        }
        Insert: {
          x?: number | null
        }
        Update: {
          x?: number | null
        }
        Relationships: [
          {
            foreignKeyName: "same"
            columns: ["x"]
            isOneToOne: false
            referencedRelation: "target"
            referencedColumns: ["a"]
          },
          {
            foreignKeyName: "same"
            columns: ["x"]
            isOneToOne: false
            referencedRelation: "target_a"
            referencedColumns: ["a"]
          },
          {
            foreignKeyName: "same"
            columns: ["x"]
            isOneToOne: false
            referencedRelation: "target_all"
            referencedColumns: ["b", "a"]
          },
          {
            foreignKeyName: "same"
            columns: ["x"]
            isOneToOne: false
            referencedRelation: "target_all"
            referencedColumns: ["b2", "a"]
          },
        ]
      }
      marks: {
        Row: {
          day: string | null
          event: number | null
          person: number | null
        }
        Insert: {
          day?: string | null
          event?: number | null
          person?: number | null
        }
        Update: {
          day?: string | null
          event?: number | null
          person?: number | null
        }
        Relationships: [
          {
            foreignKeyName: "marks_event_day_fkey"
            columns: ["event", "day"]
            isOneToOne: false
            referencedRelation: "event_view"
            referencedColumns: ["id", "day"]
          },
          {
            foreignKeyName: "marks_event_day_fkey"
            columns: ["event", "day"]
            isOneToOne: false
            referencedRelation: "events"
            referencedColumns: ["id", "day"]
          },
          {
            foreignKeyName: "marks_person_fkey"
            columns: ["person"]
            isOneToOne: false
            referencedRelation: "people"
            referencedColumns: ["id"]
          },
        ]
      }
      no_key: {
        Row: {
          id: number | null
          person: number | null
        }
        Insert: {
          id?: number | null
          person?: number | null
        }
        Update: {
          id?: number | null
          person?: number | null
        }
        Relationships: [
          {
            foreignKeyName: "later"
            columns: ["id"]
            isOneToOne: false
            referencedRelation: "people"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "no_key_person_fkey"
            columns: ["person"]
            isOneToOne: false
            referencedRelation: "people"
            referencedColumns: ["id"]
          },
        ]
      }
      people: {
        Row: {
          id: number
        }
        Insert: {
          id: number
        }
        Update: {
          id?: number
        }
        Relationships: []
      }
      remote: {
        Row: {
          doubled: number | null
          id: number
          name: string | null
          tags: string[] | null
        }
        Insert: {
          doubled?: never
          id: number
          name?: string | null
          tags?: string[] | null
        }
        Update: {
          doubled?: never
          id?: number
          name?: string | null
          tags?: string[] | null
        }
        Relationships: []
      }
      second_source: {
        Row: {
          x: number | null
        }
        Insert: {
          x?: number | null
        }
        Update: {
          x?: number | null
        }
        Relationships: [
          {
            foreignKeyName: "same"
            columns: ["x"]
            isOneToOne: false
            referencedRelation: "target"
            referencedColumns: ["b"]
          },
          {
            foreignKeyName: "same"
            columns: ["x"]
            isOneToOne: false
            referencedRelation: "target_a"
            referencedColumns: ["a"]
          },
          {
            foreignKeyName: "same"
            columns: ["x"]
            isOneToOne: false
            referencedRelation: "target_all"
            referencedColumns: ["b", "a"]
          },
          {
            foreignKeyName: "same"
            columns: ["x"]
            isOneToOne: false
            referencedRelation: "target_all"
            referencedColumns: ["b2", "a"]
          },
        ]
      }
      self: {
        Row: {
          id: number
          other: number | null
        }
        Insert: {
          id: number
          other?: number | null
        }
        Update: {
          id?: number
          other?: number | null
        }
        Relationships: [
          {
            foreignKeyName: "self_other_fkey"
            columns: ["other"]
            isOneToOne: true
            referencedRelation: "self"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "to_itself"
            columns: ["id"]
            isOneToOne: true
            referencedRelation: "self"
            referencedColumns: ["id"]
          },
        ]
      }
      target: {
        Row: {
          a: number
          b: number
        }
        Insert: {
          a: number
          b: number
        }
        Update: {
          a?: number
          b?: number
        }
        Relationships: []
      }
      third_source: {
        Row: {
          x: number | null
          y: number | null
        }
        Insert: {
          x?: number | null
          y?: number | null
        }
        Update: {
          x?: number | null
          y?: number | null
        }
        Relationships: [
          {
            foreignKeyName: "same"
            columns: ["x", "y"]
            isOneToOne: false
            referencedRelation: "target"
            referencedColumns: ["b", "a"]
          },
          {
            foreignKeyName: "same"
            columns: ["x", "y"]
            isOneToOne: false
            referencedRelation: "target_a"
            referencedColumns: ["a"]
          },
          {
            foreignKeyName: "same"
            columns: ["x", "y"]
            isOneToOne: false
            referencedRelation: "target_all"
            referencedColumns: ["b", "a"]
          },
          {
            foreignKeyName: "same"
            columns: ["x", "y"]
            isOneToOne: false
            referencedRelation: "target_all"
            referencedColumns: ["b2", "a"]
          },
        ]
      }
      tree: {
        Row: {
          id: number
          tenant: number
          up: number | null
        }
        Insert: {
          id: number
          tenant: number
          up?: number | null
        }
        Update: {
          id?: number
          tenant?: number
          up?: number | null
        }
        Relationships: [
          {
            foreignKeyName: "tree_tenant_up_fkey"
            columns: ["tenant", "up"]
            isOneToOne: true
            referencedRelation: "tree"
            referencedColumns: ["tenant", "id"]
          },
          {
            foreignKeyName: "tree_tenant_up_fkey"
            columns: ["tenant", "up"]
            isOneToOne: true
            referencedRelation: "tree_view"
            referencedColumns: ["t", "i"]
          },
        ]
      }
      visits: {
        Row: {
          at: string
          person: number | null
        }
        Insert: {
          at: string
          person?: number | null
        }
        Update: {
          at?: string
          person?: number | null
        }
        Relationships: [
          {
            foreignKeyName: "visits_person_fkey"
            columns: ["person"]
            isOneToOne: false
            referencedRelation: "people"
            referencedColumns: ["id"]
          },
        ]
      }
      visits_1: {
        Row: {
          at: string
          person: number | null
        }
        Insert: {
          at: string
          person?: number | null
        }
        Update: {
          at?: string
          person?: number | null
        }
        Relationships: [
          {
            foreignKeyName: "own"
            columns: ["person"]
            isOneToOne: false
            referencedRelation: "people"
            referencedColumns: ["id"]
          },
        ]
      }
    }
    Views: {
      both_sources: {
        Row: {
          fx: number | null
          sx: number | null
        }
        Relationships: [
          {
            foreignKeyName: "same"
            columns: ["fx"]
            isOneToOne: false
            referencedRelation: "target"
            referencedColumns: ["a"]
          },
          {
            foreignKeyName: "same"
            columns: ["sx"]
            isOneToOne: false
            referencedRelation: "target"
            referencedColumns: ["b"]
          },
          {
            foreignKeyName: "same"
            columns: ["fx"]
            isOneToOne: false
            referencedRelation: "target_a"
            referencedColumns: ["a"]
          },
          {
            foreignKeyName: "same"
            columns: ["sx"]
            isOneToOne: false
            referencedRelation: "target_a"
            referencedColumns: ["a"]
          },
          {
            foreignKeyName: "same"
            columns: ["fx"]
            isOneToOne: false
            referencedRelation: "target_all"
            referencedColumns: ["b", "a"]
          },
          {
            foreignKeyName: "same"
            columns: ["sx"]
            isOneToOne: false
            referencedRelation: "target_all"
            referencedColumns: ["b", "a"]
          },
          {
            foreignKeyName: "same"
            columns: ["fx"]
            isOneToOne: false
            referencedRelation: "target_all"
            referencedColumns: ["b2", "a"]
          },
          {
            foreignKeyName: "same"
            columns: ["sx"]
            isOneToOne: false
            referencedRelation: "target_all"
            referencedColumns: ["b2", "a"]
          },
        ]
      }
      event_view: {
        Row: {
          day: string | null
          id: number | null
          parent_day: string | null
          parent_id: number | null
        }
        Insert: {
          day?: string | null
          id?: number | null
          parent_day?: string | null
          parent_id?: number | null
        }
        Update: {
          day?: string | null
          id?: number | null
          parent_day?: string | null
          parent_id?: number | null
        }
        Relationships: [
          {
            foreignKeyName: "events_parent_id_parent_day_fkey"
            columns: ["parent_id", "parent_day"]
            isOneToOne: false
            referencedRelation: "event_view"
            referencedColumns: ["id", "day"]
          },
          {
            foreignKeyName: "events_parent_id_parent_day_fkey"
            columns: ["parent_id", "parent_day"]
            isOneToOne: false
            referencedRelation: "events"
            referencedColumns: ["id", "day"]
          },
        ]
      }
      mark_view: {
        Row: {
          day: string | null
          event: number | null
          person: number | null
        }
        Insert: {
          day?: string | null
          event?: number | null
          person?: number | null
        }
        Update: {
          day?: string | null
          event?: number | null
          person?: number | null
        }
        Relationships: [
          {
            foreignKeyName: "marks_event_day_fkey"
            columns: ["event", "day"]
            isOneToOne: false
            referencedRelation: "event_view"
            referencedColumns: ["id", "day"]
          },
          {
            foreignKeyName: "marks_event_day_fkey"
            columns: ["event", "day"]
            isOneToOne: false
            referencedRelation: "events"
            referencedColumns: ["id", "day"]
          },
          {
            foreignKeyName: "marks_person_fkey"
            columns: ["person"]
            isOneToOne: false
            referencedRelation: "people"
            referencedColumns: ["id"]
          },
        ]
      }
      part_view: {
        Row: {
          day: string | null
          id: number | null
          kind: string | null
          parent_day: string | null
          parent_id: number | null
        }
        Insert: {
          day?: string | null
          id?: number | null
          kind?: string | null
          parent_day?: string | null
          parent_id?: number | null
        }
        Update: {
          day?: string | null
          id?: number | null
          kind?: string | null
          parent_day?: string | null
          parent_id?: number | null
        }
        Relationships: []
      }
      remote_view: {
        Row: {
          id: number | null
          name: string | null
        }
        Insert: {
          id?: number | null
          name?: string | null
        }
        Update: {
          id?: number | null
          name?: string | null
        }
        Relationships: []
      }
      target_a: {
        Row: {
          a: number | null
        }
        Insert: {
          a?: number | null
        }
        Update: {
          a?: number | null
        }
        Relationships: []
      }
      target_all: {
        Row: {
          a: number | null
          b: number | null
          b2: number | null
        }
        Insert: {
          a?: number | null
          b?: number | null
          b2?: number | null
        }
        Update: {
          a?: number | null
          b?: number | null
          b2?: number | null
        }
        Relationships: []
      }
      tree_view: {
        Row: {
          i: number | null
          t: number | null
          u: number | null
        }
        Insert: {
          i?: number | null
          t?: number | null
          u?: number | null
        }
        Update: {
          i?: number | null
          t?: number | null
          u?: number | null
        }
        Relationships: [
          {
            foreignKeyName: "tree_tenant_up_fkey"
            columns: ["t", "u"]
            isOneToOne: true
            referencedRelation: "tree"
            referencedColumns: ["tenant", "id"]
          },
          {
            foreignKeyName: "tree_tenant_up_fkey"
            columns: ["t", "u"]
            isOneToOne: true
            referencedRelation: "tree_view"
            referencedColumns: ["t", "i"]
          },
        ]
      }
    }
    Functions: {
      [_ in never]: never
    }
    Enums: {
      [_ in never]: never
    }
    CompositeTypes: {
      [_ in never]: never
    }
  }
}

type DatabaseWithoutInternals = Omit<Database, "__InternalSupabase">

type DefaultSchema = DatabaseWithoutInternals[Extract<keyof Database, "public">]

export type Tables<
  DefaultSchemaTableNameOrOptions extends
    | keyof (DefaultSchema["Tables"] & DefaultSchema["Views"])
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends (DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof (DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"] &
        DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Views"])
    : never) = never,
> = DefaultSchemaTableNameOrOptions extends {
  schema: keyof DatabaseWithoutInternals
}
  ? (DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"] &
      DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Views"])[TableName] extends {
      Row: infer R
    }
    ? R
    : never
  : DefaultSchemaTableNameOrOptions extends keyof (DefaultSchema["Tables"] &
        DefaultSchema["Views"])
    ? (DefaultSchema["Tables"] &
        DefaultSchema["Views"])[DefaultSchemaTableNameOrOptions] extends {
        Row: infer R
      }
      ? R
      : never
    : never

export type TablesInsert<
  DefaultSchemaTableNameOrOptions extends
    | keyof DefaultSchema["Tables"]
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends (DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"]
    : never) = never,
> = DefaultSchemaTableNameOrOptions extends {
  schema: keyof DatabaseWithoutInternals
}
  ? DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"][TableName] extends {
      Insert: infer I
    }
    ? I
    : never
  : DefaultSchemaTableNameOrOptions extends keyof DefaultSchema["Tables"]
    ? DefaultSchema["Tables"][DefaultSchemaTableNameOrOptions] extends {
        Insert: infer I
      }
      ? I
      : never
    : never

export type TablesUpdate<
  DefaultSchemaTableNameOrOptions extends
    | keyof DefaultSchema["Tables"]
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends (DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"]
    : never) = never,
> = DefaultSchemaTableNameOrOptions extends {
  schema: keyof DatabaseWithoutInternals
}
  ? DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"][TableName] extends {
      Update: infer U
    }
    ? U
    : never
  : DefaultSchemaTableNameOrOptions extends keyof DefaultSchema["Tables"]
    ? DefaultSchema["Tables"][DefaultSchemaTableNameOrOptions] extends {
        Update: infer U
      }
      ? U
      : never
    : never

export type Enums<
  DefaultSchemaEnumNameOrOptions extends
    | keyof DefaultSchema["Enums"]
    | { schema: keyof DatabaseWithoutInternals },
  EnumName extends (DefaultSchemaEnumNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof DatabaseWithoutInternals[DefaultSchemaEnumNameOrOptions["schema"]]["Enums"]
    : never) = never,
> = DefaultSchemaEnumNameOrOptions extends {
  schema: keyof DatabaseWithoutInternals
}
  ? DatabaseWithoutInternals[DefaultSchemaEnumNameOrOptions["schema"]]["Enums"][EnumName]
  : DefaultSchemaEnumNameOrOptions extends keyof DefaultSchema["Enums"]
    ? DefaultSchema["Enums"][DefaultSchemaEnumNameOrOptions]
    : never

export type CompositeTypes<
  PublicCompositeTypeNameOrOptions extends
    | keyof DefaultSchema["CompositeTypes"]
    | { schema: keyof DatabaseWithoutInternals },
  CompositeTypeName extends (PublicCompositeTypeNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof DatabaseWithoutInternals[PublicCompositeTypeNameOrOptions["schema"]]["CompositeTypes"]
    : never) = never,
> = PublicCompositeTypeNameOrOptions extends {
  schema: keyof DatabaseWithoutInternals
}
  ? DatabaseWithoutInternals[PublicCompositeTypeNameOrOptions["schema"]]["CompositeTypes"][CompositeTypeName]
  : PublicCompositeTypeNameOrOptions extends keyof DefaultSchema["CompositeTypes"]
    ? DefaultSchema["CompositeTypes"][PublicCompositeTypeNameOrOptions]
    : never

export const Constants = {
  public: {
    Enums: {},
  },
} as const
