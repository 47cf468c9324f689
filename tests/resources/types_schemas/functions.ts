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
  api: {
    Tables: {
      things: {
        Row: {
          id: number | null
          p: Database["public"]["CompositeTypes"]["pair"] | null
          q: Database["public"]["Tables"]["people"]["Row"] | null
          thing_of: Database["public"]["Tables"]["pets"]["Row"] | null
          things_of: {
            id: number | null
            p: Database["public"]["CompositeTypes"]["pair"] | null
            q: Database["public"]["Tables"]["people"]["Row"] | null
          } | null
        }
        Insert: {
          id?: number | null
          p?: Database["public"]["CompositeTypes"]["pair"] | null
          q?: Database["public"]["Tables"]["people"]["Row"] | null
        }
        Update: {
          id?: number | null
          p?: Database["public"]["CompositeTypes"]["pair"] | null
          q?: Database["public"]["Tables"]["people"]["Row"] | null
        }
        Relationships: []
      }
    }
    Views: {
      [_ in never]: never
    }
    Functions: {
      elsewhere: {
        Args: { "": Database["public"]["Tables"]["people"]["Row"] }
        Returns: {
          error: true
        } & "the function api.elsewhere with parameter or with a single unnamed json/jsonb parameter, but no matches were found in the schema cache"
      }
      rows_elsewhere: {
        Args: Record<PropertyKey, never>
        Returns: Database["public"]["Tables"]["people"]["Row"][]
        SetofOptions: {
          from: "*"
          to: "people"
          isOneToOne: false
          isSetofReturn: true
        }
      }
      thing_of: {
        Args: { "": Database["api"]["Tables"]["things"]["Row"] }
        Returns: Database["public"]["Tables"]["pets"]["Row"]
        SetofOptions: {
          from: "api.things"
          to: "pets"
          isOneToOne: true
          isSetofReturn: false
        }
      }
      things_of: {
        Args: { things: Database["api"]["Tables"]["things"]["Row"] }
        Returns: {
          id: number | null
          p: Database["public"]["CompositeTypes"]["pair"] | null
          q: Database["public"]["Tables"]["people"]["Row"] | null
        }[]
        SetofOptions: {
          from: "api.things"
          to: "things"
          isOneToOne: false
          isSetofReturn: true
        }
      }
    }
    Enums: {
      [_ in never]: never
    }
    CompositeTypes: {
      [_ in never]: never
    }
  }
  public: {
    Tables: {
      integer: {
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
      people: {
        Row: {
          friend: number | null
          id: number
          mood: Database["public"]["Enums"]["mood"] | null
          name: string
          note: NonNullable<Json>
          as_json: Json | null
          friend_of: {
            friend: number | null
            id: number
            mood: Database["public"]["Enums"]["mood"] | null
            name: string
            note: NonNullable<Json>
          } | null
          friends: {
            friend: number | null
            id: number
            mood: Database["public"]["Enums"]["mood"] | null
            name: string
            note: NonNullable<Json>
          } | null
          full_name: string | null
          labels_of: string[] | null
          mood_of: Database["public"]["Enums"]["mood"] | null
          named_full_name: string | null
          one_friend: {
            friend: number | null
            id: number
            mood: Database["public"]["Enums"]["mood"] | null
            name: string
            note: NonNullable<Json>
          } | null
          over: {
            x: number
          } | null
          pair_of: Database["public"]["CompositeTypes"]["pair"] | null
          pairs_of: Database["public"]["CompositeTypes"]["pair"] | null
          pets_of: {
            id: number
            owner: number | null
          } | null
          table_of: {
            a: number
            b: string
          } | null
          unknown_of: unknown
          void_of: undefined | null
        }
        Insert: {
          friend?: number | null
          id: number
          mood?: Database["public"]["Enums"]["mood"] | null
          name: string
          note: NonNullable<Json>
        }
        Update: {
          friend?: number | null
          id?: number
          mood?: Database["public"]["Enums"]["mood"] | null
          name?: string
          note?: NonNullable<Json>
        }
        Relationships: [
          {
            foreignKeyName: "people_friend_fkey"
            columns: ["friend"]
            isOneToOne: false
            referencedRelation: "adults"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "people_friend_fkey"
            columns: ["friend"]
            isOneToOne: false
            referencedRelation: "people"
            referencedColumns: ["id"]
          },
        ]
      }
      pets: {
        Row: {
          id: number
          owner: number | null
          owner_of: {
            friend: number | null
            id: number
            mood: Database["public"]["Enums"]["mood"] | null
            name: string
            note: NonNullable<Json>
          } | null
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
            foreignKeyName: "pets_owner_fkey"
            columns: ["owner"]
            isOneToOne: false
            referencedRelation: "adults"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "pets_owner_fkey"
            columns: ["owner"]
            isOneToOne: false
            referencedRelation: "people"
            referencedColumns: ["id"]
          },
        ]
      }
      text: {
        Row: {
          id: number | null
          looks_computed_too: Json | null
          unnamed_text: number | null
        }
        Insert: {
          id?: number | null
        }
        Update: {
          id?: number | null
        }
        Relationships: []
      }
    }
    Views: {
      adults: {
        Row: {
          id: number | null
          name: string | null
          pets_of: {
            id: number
            owner: number | null
          } | null
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
      counts: {
        Row: {
          count: number | null
          of_counts: Json | null
        }
        Relationships: []
      }
    }
    Functions: {
      a_function_with_a_very_long_name_indeed_so_that_lines_will_brea: {
        Args: {
          a_parameter_with_a_long_name: number
          another_parameter_with_a_long_name?: string
        }
        Returns: {
          friend: number | null
          id: number
          mood: Database["public"]["Enums"]["mood"] | null
          name: string
          note: NonNullable<Json>
        }
        SetofOptions: {
          from: "*"
          to: "people"
          isOneToOne: true
          isSetofReturn: false
        }
      }
      a_mood: {
        Args: {
          m: Database["public"]["Enums"]["mood"]
          ms: Database["public"]["Enums"]["mood"][]
        }
        Returns: Database["public"]["Enums"]["mood"]
      }
      a_pair: {
        Args: {
          p: Database["public"]["CompositeTypes"]["pair"]
          ps: Database["public"]["CompositeTypes"]["pair"][]
        }
        Returns: Database["public"]["CompositeTypes"]["pair"]
        SetofOptions: {
          from: "*"
          to: "pair"
          isOneToOne: true
          isSetofReturn: false
        }
      }
      a_short: { Args: { s: unknown }; Returns: unknown }
      array_of_rows: {
        Args: Record<PropertyKey, never>
        Returns: Database["public"]["Tables"]["people"]["Row"][]
      }
      as_json: {
        Args: { "": Database["public"]["Tables"]["people"]["Row"] }
        Returns: {
          error: true
        } & "the function public.as_json with parameter or with a single unnamed json/jsonb parameter, but no matches were found in the schema cache"
      }
      as_table: {
        Args: { n: number }
        Returns: {
          "long name": Database["public"]["Tables"]["people"]["Row"]
          x: number
          y: string[]
          z: Database["public"]["Enums"]["mood"]
        }[]
      }
      as_table_enum: {
        Args: Record<PropertyKey, never>
        Returns: {
          a: Database["api"]["Tables"]["things"]["Row"]
        }[]
        SetofOptions: {
          from: "api.things"
          to: "things"
          isOneToOne: false
          isSetofReturn: true
        }
      }
      as_table_one: {
        Args: Record<PropertyKey, never>
        Returns: {
          only_one: number
        }[]
      }
      both_ways: {
        Args: { a: number; b?: number }
        Returns: Record<string, unknown>
      }
      clash:
        | {
            Args: { a: number }
            Returns: {
              error: true
            } & "Could not choose the best candidate function between: public.clash(a => int4), public.clash(a => text), public.clash(a => mood). Try renaming the parameters or the function itself in the database so function overloading can be resolved"
          }
        | {
            Args: { a: Database["public"]["Enums"]["mood"] }
            Returns: {
              error: true
            } & "Could not choose the best candidate function between: public.clash(a => int4), public.clash(a => text), public.clash(a => mood). Try renaming the parameters or the function itself in the database so function overloading can be resolved"[]
            SetofOptions: {
              from: "*"
              to: "people"
              isOneToOne: false
              isSetofReturn: true
            }
          }
        | {
            Args: { a: string }
            Returns: {
              error: true
            } & "Could not choose the best candidate function between: public.clash(a => int4), public.clash(a => text), public.clash(a => mood). Try renaming the parameters or the function itself in the database so function overloading can be resolved"
          }
      clash_default:
        | {
            Args: Record<PropertyKey, never>
            Returns: {
              error: true
            } & "Could not choose the best candidate function between: public.clash_default(), public.clash_default( => mood). Try renaming the parameters or the function itself in the database so function overloading can be resolved"
          }
        | { Args: { a: number; b: number }; Returns: number }
        | {
            Args: { ""?: string }
            Returns: Database["public"]["Enums"]["mood"]
          }
      clash_set:
        | {
            Args: { a: number }
            Returns: {
              error: true
            } & "Could not choose the best candidate function between: public.clash_set(a => int4), public.clash_set(a => text). Try renaming the parameters or the function itself in the database so function overloading can be resolved"[]
          }
        | {
            Args: { a?: string }
            Returns: {
              error: true
            } & "Could not choose the best candidate function between: public.clash_set(a => int4), public.clash_set(a => text). Try renaming the parameters or the function itself in the database so function overloading can be resolved"[]
          }
      defaults: {
        Args: { a: number; b?: string; c?: Database["public"]["Enums"]["mood"] }
        Returns: string
      }
      extra_named: {
        Args: { n?: number; p: Database["public"]["Tables"]["people"]["Row"] }
        Returns: {
          friend: number | null
          id: number
          mood: Database["public"]["Enums"]["mood"] | null
          name: string
          note: NonNullable<Json>
        }[]
        SetofOptions: {
          from: "*"
          to: "people"
          isOneToOne: false
          isSetofReturn: true
        }
      }
      few: { Args: Record<PropertyKey, never>; Returns: number[] }
      first_row: {
        Args: Record<PropertyKey, never>
        Returns: {
          friend: number | null
          id: number
          mood: Database["public"]["Enums"]["mood"] | null
          name: string
          note: NonNullable<Json>
        }
        SetofOptions: {
          from: "*"
          to: "people"
          isOneToOne: true
          isSetofReturn: true
        }
      }
      friend_of: {
        Args: { "": Database["public"]["Tables"]["people"]["Row"] }
        Returns: {
          friend: number | null
          id: number
          mood: Database["public"]["Enums"]["mood"] | null
          name: string
          note: NonNullable<Json>
        }
        SetofOptions: {
          from: "people"
          to: "people"
          isOneToOne: true
          isSetofReturn: true
        }
      }
      friends: {
        Args: { p: Database["public"]["Tables"]["people"]["Row"] }
        Returns: {
          friend: number | null
          id: number
          mood: Database["public"]["Enums"]["mood"] | null
          name: string
          note: NonNullable<Json>
        }[]
        SetofOptions: {
          from: "people"
          to: "people"
          isOneToOne: false
          isSetofReturn: true
        }
      }
      full_name: {
        Args: { "": Database["public"]["Tables"]["people"]["Row"] }
        Returns: {
          error: true
        } & "the function public.full_name with parameter or with a single unnamed json/jsonb parameter, but no matches were found in the schema cache"
      }
      half_default: { Args: { ""?: string; a: number }; Returns: number }
      json_of: { Args: { j: Json; jb: Json[] }; Returns: Json }
      labels_of: {
        Args: { "": Database["public"]["Tables"]["people"]["Row"] }
        Returns: {
          error: true
        } & "the function public.labels_of with parameter or with a single unnamed json/jsonb parameter, but no matches were found in the schema cache"
      }
      looks_computed_too: { Args: { "": string }; Returns: Json }
      many: { Args: Record<PropertyKey, never>; Returns: number[] }
      mood_of: {
        Args: { "": Database["public"]["Tables"]["people"]["Row"] }
        Returns: {
          error: true
        } & "the function public.mood_of with parameter or with a single unnamed json/jsonb parameter, but no matches were found in the schema cache"
      }
      moods: {
        Args: Record<PropertyKey, never>
        Returns: Database["public"]["Enums"]["mood"][]
      }
      named_full_name: {
        Args: { p: Database["public"]["Tables"]["people"]["Row"] }
        Returns: string
      }
      nothing: { Args: Record<PropertyKey, never>; Returns: undefined }
      of_counts: {
        Args: { "": Database["public"]["Views"]["counts"]["Row"] }
        Returns: {
          error: true
        } & "the function public.of_counts with parameter or with a single unnamed json/jsonb parameter, but no matches were found in the schema cache"
      }
      one: { Args: Record<PropertyKey, never>; Returns: number }
      one_friend: {
        Args: { "": Database["public"]["Tables"]["people"]["Row"] }
        Returns: {
          friend: number | null
          id: number
          mood: Database["public"]["Enums"]["mood"] | null
          name: string
          note: NonNullable<Json>
        }
        SetofOptions: {
          from: "people"
          to: "people"
          isOneToOne: true
          isSetofReturn: false
        }
      }
      out_first: { Args: { b?: number; c: number }; Returns: number }
      out_set: { Args: { n: number }; Returns: Record<string, unknown>[] }
      outs: {
        Args: Record<PropertyKey, never>
        Returns: Record<string, unknown>
      }
      over:
        | { Args: Record<PropertyKey, never>; Returns: number }
        | { Args: { a: number }; Returns: number }
        | { Args: { a: number; b: string }; Returns: string }
        | {
            Args: {
              a: number
              c: Database["public"]["Enums"]["mood"]
              d?: number
            }
            Returns: {
              friend: number | null
              id: number
              mood: Database["public"]["Enums"]["mood"] | null
              name: string
              note: NonNullable<Json>
            }[]
            SetofOptions: {
              from: "*"
              to: "people"
              isOneToOne: false
              isSetofReturn: true
            }
          }
        | {
            Args: { b: Database["public"]["Tables"]["people"]["Row"] }
            Returns: {
              x: number
            }[]
          }
      owner_of: {
        Args: { "": Database["public"]["Tables"]["pets"]["Row"] }
        Returns: {
          friend: number | null
          id: number
          mood: Database["public"]["Enums"]["mood"] | null
          name: string
          note: NonNullable<Json>
        }
        SetofOptions: {
          from: "pets"
          to: "people"
          isOneToOne: true
          isSetofReturn: false
        }
      }
      pair_of: {
        Args: { "": Database["public"]["Tables"]["people"]["Row"] }
        Returns: Database["public"]["CompositeTypes"]["pair"]
        SetofOptions: {
          from: "people"
          to: "pair"
          isOneToOne: true
          isSetofReturn: false
        }
      }
      pairs: {
        Args: Record<PropertyKey, never>
        Returns: Database["public"]["CompositeTypes"]["pair"][]
        SetofOptions: {
          from: "*"
          to: "pair"
          isOneToOne: false
          isSetofReturn: true
        }
      }
      pairs_array: {
        Args: Record<PropertyKey, never>
        Returns: Database["public"]["CompositeTypes"]["pair"][]
      }
      pairs_of: {
        Args: { "": Database["public"]["Tables"]["people"]["Row"] }
        Returns: Database["public"]["CompositeTypes"]["pair"][]
        SetofOptions: {
          from: "people"
          to: "pair"
          isOneToOne: false
          isSetofReturn: true
        }
      }
      pets_of:
        | {
            Args: { "": Database["public"]["Views"]["adults"]["Row"] }
            Returns: {
              id: number
              owner: number | null
            }[]
            SetofOptions: {
              from: "adults"
              to: "pets"
              isOneToOne: false
              isSetofReturn: true
            }
          }
        | {
            Args: { "": Database["public"]["Tables"]["people"]["Row"] }
            Returns: {
              id: number
              owner: number | null
            }[]
            SetofOptions: {
              from: "people"
              to: "pets"
              isOneToOne: false
              isSetofReturn: true
            }
          }
      pseudo: { Args: { a: unknown; b: unknown }; Returns: unknown }
      ranged: { Args: { d: unknown; r: unknown }; Returns: unknown }
      rec: { Args: { n: number }; Returns: Record<string, unknown> }
      recs: {
        Args: Record<PropertyKey, never>
        Returns: Record<string, unknown>[]
      }
      row_of: {
        Args: { id: number }
        Returns: {
          friend: number | null
          id: number
          mood: Database["public"]["Enums"]["mood"] | null
          name: string
          note: NonNullable<Json>
        }
        SetofOptions: {
          from: "*"
          to: "people"
          isOneToOne: true
          isSetofReturn: false
        }
      }
      rows_of: {
        Args: Record<PropertyKey, never>
        Returns: {
          friend: number | null
          id: number
          mood: Database["public"]["Enums"]["mood"] | null
          name: string
          note: NonNullable<Json>
        }[]
        SetofOptions: {
          from: "*"
          to: "people"
          isOneToOne: false
          isSetofReturn: true
        }
      }
      rows_of_counts: {
        Args: Record<PropertyKey, never>
        Returns: {
          count: number | null
        }[]
        SetofOptions: {
          from: "*"
          to: "counts"
          isOneToOne: false
          isSetofReturn: true
        }
      }
      rows_of_view: {
        Args: Record<PropertyKey, never>
        Returns: {
          id: number | null
          name: string | null
        }[]
        SetofOptions: {
          from: "*"
          to: "adults"
          isOneToOne: false
          isSetofReturn: true
        }
      }
      spread: { Args: { words: string[] }; Returns: string }
      table_of: {
        Args: { "": Database["public"]["Tables"]["people"]["Row"] }
        Returns: {
          error: true
        } & "the function public.table_of with parameter or with a single unnamed json/jsonb parameter, but no matches were found in the schema cache"[]
      }
      unknown_of: {
        Args: { "": Database["public"]["Tables"]["people"]["Row"] }
        Returns: {
          error: true
        } & "the function public.unknown_of with parameter or with a single unnamed json/jsonb parameter, but no matches were found in the schema cache"
      }
      unnamed_default: { Args: { ""?: string }; Returns: number }
      unnamed_defaults: { Args: { ""?: string; ""?: Json }; Returns: number }
      unnamed_json: { Args: { "": Json }; Returns: number }
      unnamed_jsonb: { Args: { "": Json }; Returns: number }
      unnamed_pair: {
        Args: { "": Database["public"]["CompositeTypes"]["pair"] }
        Returns: {
          error: true
        } & "the function public.unnamed_pair with parameter or with a single unnamed json/jsonb parameter, but no matches were found in the schema cache"
      }
      unnamed_text: { Args: { "": string }; Returns: number }
      void_of: {
        Args: { "": Database["public"]["Tables"]["people"]["Row"] }
        Returns: {
          error: true
        } & "the function public.void_of with parameter or with a single unnamed json/jsonb parameter, but no matches were found in the schema cache"
      }
    }
    Enums: {
      mood: "sad" | "happy"
    }
    CompositeTypes: {
      pair: {
        a: number | null
        b: string | null
      }
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
  api: {
    Enums: {},
  },
  public: {
    Enums: {
      mood: ["sad", "happy"],
    },
  },
} as const
